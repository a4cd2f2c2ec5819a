package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A reload is tried again after 1, 2, 4 … 60 s for as long as descriptors are missing, and never for what only somebody can mend.
func TestReloadRetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newReloadRetry()
		defer a.Stop()
		scarce := fmt.Errorf("authority: %w", &fs.PathError{Op: "open", Path: "root.pem", Err: syscall.EMFILE})
		for i, want := range []float64{1, 2, 4, 8, 16, 32, 60, 60} {
			begun := time.Now()
			a.after(scarce)
			<-a.C
			if got := time.Since(begun).Seconds(); got != want {
				t.Errorf("time %d: after %v s, want %v", i, got, want)
			}
		}
		for _, over := range []error{nil, errors.New("guard.yaml:3: no such key"), fs.ErrNotExist} {
			a.after(scarce)
			a.after(over) // in between somebody else's reload
			select {
			case <-a.C:
				t.Errorf("tried again after %v", over)
			case <-time.After(time.Hour):
			}
		}
		begun := time.Now()
		a.after(scarce)
		if <-a.C; time.Since(begun) != firstRetry {
			t.Errorf("the first time again takes %v", time.Since(begun))
		}
	})
}
