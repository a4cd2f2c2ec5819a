package main

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

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
