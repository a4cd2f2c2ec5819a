package main

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
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
	boundMemory(zap.NewNop())
	if got := debug.SetMemoryLimit(-1); got < 1<<20 || got > 1<<50 {
		t.Errorf("got %d, which no computer has", got)
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
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var times atomic.Int64
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			tendMemory(ctx, func() { times.Add(1) })
		}()
		pass := func(what string, want int64) {
			t.Helper()
			time.Sleep(quietPause)
			synctest.Wait()
			if got := times.Load(); got != want {
				t.Errorf("%s: given back %d times, want %d", what, got, want)
			}
		}
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
