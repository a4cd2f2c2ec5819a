package main

import (
	"context"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// What the process may have is found out, and what somebody has said stands.
func TestBoundMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	t.Setenv("GOMEMLIMIT", "1TiB")
	debug.SetMemoryLimit(1 << 40)
	boundMemory(zap.NewNop())
	if got := debug.SetMemoryLimit(-1); got != 1<<40 {
		t.Errorf("with GOMEMLIMIT: got %d", got)
	}
	if err := os.Unsetenv("GOMEMLIMIT"); err != nil { // t.Setenv puts it back
		t.Fatal(err)
	}
	debug.SetMemoryLimit(math.MaxInt64)
	core, said := observer.New(zap.WarnLevel)
	boundMemory(zap.New(core))
	if said.Len() > 0 {
		t.Errorf("complains: %v", said.All())
	}
	if got := debug.SetMemoryLimit(-1); got < 1<<20 || got > 1<<50 {
		t.Errorf("got %d, which no computer has", got)
	}
}

// What may become garbage is the same few megabytes whatever little is alive, and a multiple of what is alive when that is much.
func TestGarbagePercent(t *testing.T) {
	for _, test := range []struct {
		alive uint64
		want  int
	}{
		{0, mostGarbage}, // nothing was collected yet
		{1, mostGarbage},
		{4 << 20, mostGarbage},
		{8 << 20, 800},
		{9 << 20, 700}, // 711
		{16 << 20, 400},
		{32 << 20, leastGarbage},
		{1 << 30, leastGarbage},
		{1 << 62, leastGarbage},
	} {
		if got := garbagePercent(test.alive); got != test.want {
			t.Errorf("%d bytes alive: got %d %%, want %d", test.alive, got, test.want)
		}
	}
}

// What is alive is found out, under the names by which the runtime knows it: without, any amount of garbage would be let lie.
func TestHeapBytes(t *testing.T) {
	const held = 16 << 20
	kept := make([]byte, held)
	runtime.GC()
	if allocated, alive := heapBytes(); alive < held || allocated < alive {
		t.Errorf("%d bytes allocated, %d alive, with %d held", allocated, alive, held)
	}
	runtime.KeepAlive(kept)
}

// The collector is told of it, and is not where GOGC says something else.
func TestTendMemory_collector(t *testing.T) {
	for _, test := range []struct {
		gogc string
		kept bool
	}{{"", false}, {"77", true}} {
		t.Setenv("GOGC", test.gogc)
		before := debug.SetGCPercent(77)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		manageMemory(ctx, func() {})
		got := debug.SetGCPercent(before)
		if test.kept && got != 77 || !test.kept && (got < leastGarbage || got > mostGarbage) {
			t.Errorf("GOGC=%q: got %d", test.gogc, got)
		}
	}
}

// heap keeps the compiler from taking an allocation away.
var heap []byte

func burst(size int) {
	heap = make([]byte, size)
	heap = nil
}

// Memory is given back when a burst is over: not while it lasts, not twice for one, and not for a little.
func TestTendMemory(t *testing.T) {
	percent := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var times atomic.Int64
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			manageMemory(ctx, func() { times.Add(1) })
		}()
		pass := func(what string, want int64) {
			t.Helper()
			time.Sleep(quietPause)
			synctest.Wait()
			if got := times.Load(); got != want {
				t.Errorf("%s: given back %d times, want %d", what, got, want)
			}
		}
		synctest.Wait() // for the first look: what came before it is no burst
		burst(2 * worthBytes)
		pass("in the burst", 0)
		burst(2 * worthBytes)
		pass("in the burst, a second later", 0)
		pass("after it", 1)
		pass("a second later", 1)
		burst(worthBytes / 2)
		pass("in a small one", 1)
		pass("after a small one", 1)
		burst(worthBytes)
		pass("in another", 1)
		pass("after another", 2)
		cancel()
		<-ended
	})
}
