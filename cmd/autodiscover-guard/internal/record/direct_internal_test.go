package record

import (
	"testing"
	"testing/synctest"
	"time"
)

// Who waits for the lock counts from when it was taken, by whomever, and not from when somebody had it before.
func TestDirectWriter_lock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectWriter(nil)
		wait := func(want bool, took time.Duration) {
			t.Helper()
			begun := time.Now()
			if got := d.lock(hangTime); got != want || time.Since(begun) != took {
				t.Errorf("got %v after %v, want %v after %v", got, time.Since(begun), want, took)
			}
		}
		time.Sleep(time.Hour)
		d.taken <- struct{}{} // by somebody who has not yet said so
		time.AfterFunc(time.Second, func() { <-d.taken })
		wait(true, time.Second)
		time.Sleep(3 * time.Second)
		wait(false, 2*time.Second)
		d.unlock()
		if held := d.heldFor(); held != 0 {
			t.Errorf("held for %v by nobody", held)
		}
	})
}
