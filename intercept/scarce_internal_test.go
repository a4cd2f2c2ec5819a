package intercept

import (
	"testing"
	"testing/synctest"
	"time"
)

// A flood of failures is one line in ten seconds.
func TestComplaint_nowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c complaint
		for n, want := range []bool{true, false, false, true, false} {
			if n == 2 || n == 3 {
				time.Sleep(complaintEvery/2 + time.Second)
			}
			if got := c.due(); got != want {
				t.Errorf("%d: got %v, want %v", n, got, want)
			}
		}
	})
}
