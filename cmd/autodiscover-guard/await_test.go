package main

import (
	"testing"
	"time"
)

// await is a receive that fails the test where nothing comes: what should have sent has failed, and the test would wait until its binary is ended. It is for the
// test's own goroutine.
func await[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came for 20 s")
	}
	return v
}
