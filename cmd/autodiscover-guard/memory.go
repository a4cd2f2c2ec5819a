package main

import (
	"context"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"go.uber.org/zap"
)

const (
	// quietPause is how long nearly nothing may be allocated before memory is given back.
	quietPause = time.Second
	// quietBytes is what nearly nothing is: less than that in a pause.
	quietBytes = 1 << 20
	// worthBytes is how much must have been allocated since memory was last given back.
	worthBytes = 8 << 20
)

// boundMemory has the collector work harder where the process comes near to what it may have: nine tenths of what its cgroup has (MemoryMax= of a unit, a
// container), or else the computer. At a hard limit the kernel ends us, however much of our memory is garbage; at GOGC=200, two thirds are. GOMEMLIMIT
// stands instead, where it is set.
func boundMemory(logger *zap.Logger) {
	if _, err := memlimit.Set(memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem))); err != nil {
		logger.Warn("it cannot be found out how much memory there is; GOMEMLIMIT says it", zap.Error(err))
	}
}

// tendMemory gives the memory that a burst has left behind back to the system when the burst is over, until ctx ends. The collector alone does so when
// as much has been allocated again, which on a desktop may be hours later. While there is work it does nothing.
func tendMemory(ctx context.Context, giveBack func()) {
	tick := time.NewTicker(quietPause)
	defer tick.Stop()
	var kept, last uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := allocated()
		if now-last < quietBytes && now-kept > worthBytes {
			giveBack()
			kept = now
		}
		last = now
	}
}

// allocated is how many bytes the process has allocated in its life.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 { // a Go that does not count any more
		return 0
	}
	return sample[0].Value.Uint64()
}
