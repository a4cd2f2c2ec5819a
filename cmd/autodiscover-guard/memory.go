package main

import (
	"context"
	"runtime/metrics"
	"time"
)

const (
	// quietPause is how long nearly nothing may be allocated before memory is given back.
	quietPause = time.Second
	// quietBytes is what nearly nothing is: less than that in a pause.
	quietBytes = 1 << 20
	// worthBytes is how much must have been allocated since memory was last given back.
	worthBytes = 8 << 20
)

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
