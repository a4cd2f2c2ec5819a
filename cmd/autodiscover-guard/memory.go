package main

import (
	"context"
	"os"
	"runtime/debug"
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
	// garbageRoom is how much garbage may be there before it is collected. What is alive is a few megabytes on most days, and collected each time that as much
	// has become garbage, it costs a new connection a tenth of its time.
	garbageRoom = 64 << 20
	// leastGarbage and mostGarbage are between what that may be, in percent of what is alive.
	leastGarbage, mostGarbage = 200, 1000
)

// boundMemory has the collector work harder where the process comes near to what it may have: nine tenths of what its cgroup has (MemoryMax= of a unit, a
// container), or else the computer. At a hard limit the kernel ends us, however much of our memory is garbage; of what [garbagePercent] allows, two thirds are.
// GOMEMLIMIT stands instead, where it is set.
func boundMemory(logger *zap.Logger) {
	if _, err := memlimit.Set(memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem))); err != nil {
		logger.Warn("it cannot be found out how much memory there is; GOMEMLIMIT says it", zap.Error(err))
	}
}

// manageMemory gives the memory that a burst has left behind back to the system when the burst is over, until ctx ends. The collector alone does so when
// as much has been allocated again, which on a desktop may be hours later. While there is work it only keeps the room for garbage what it should be, of what
// is alive by now; that is GOGC's to say, where it is set.
func manageMemory(ctx context.Context, giveBack func()) {
	tick := time.NewTicker(quietPause)
	defer tick.Stop()
	var kept, last uint64
	percent := 0
	if os.Getenv("GOGC") != "" {
		percent = -1
	}
	for {
		allocated, alive := heapBytes()
		if want := garbagePercent(alive); percent >= 0 && want != percent {
			debug.SetGCPercent(want)
			percent = want
		}
		if allocated-last < quietBytes && allocated-kept > worthBytes {
			giveBack()
			kept = allocated
		}
		last = allocated
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// garbagePercent is what GOGC should be while so many bytes are alive, in steps: what it is set to stops the world for a moment.
func garbagePercent(alive uint64) int {
	const step = 50
	percent := uint64(mostGarbage)
	if alive > 0 {
		percent = garbageRoom * 100 / alive / step * step
	}
	return int(min(max(percent, leastGarbage), mostGarbage))
}

// heapBytes is how many bytes the process has allocated in its life, and how many of them the last collection found alive; 0 with a Go that does not
// count them any more.
func heapBytes() (allocated, alive uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(samples)
	read := func(value metrics.Value) uint64 {
		if value.Kind() != metrics.KindUint64 {
			return 0
		}
		return value.Uint64()
	}
	return read(samples[0].Value), read(samples[1].Value)
}
