package intercept

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// deadlined is a stream that knows when it was reset.
type deadlined struct {
	http.ResponseWriter
	times atomic.Int64
}

func (d *deadlined) SetWriteDeadline(time.Time) error {
	d.times.Add(1)
	return nil
}

// A write that is stuck for too long resets its stream, once; a timer that rings late, behind that write or in the middle of the next, resets nothing.
func TestStallTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, books := new(deadlined), new(traffic)
		p := books.newStallTimer(time.Minute, http.NewResponseController(stream))
		rung := func(what string, want int64) {
			t.Helper()
			synctest.Wait()
			if stream.times.Load() != want || books.stalled.Load() != want {
				t.Errorf("%s: reset %d times, counted %d, want %d", what, stream.times.Load(), books.stalled.Load(), want)
			}
		}
		p.begin()
		time.Sleep(time.Minute - time.Nanosecond)
		p.end()
		time.Sleep(time.Hour)
		rung("in time", 0)
		p.expire()
		rung("between two writes", 0)
		p.begin()
		time.Sleep(time.Minute - time.Nanosecond)
		p.expire()
		rung("too early", 0)
		p.end()
		p.begin()
		time.Sleep(time.Minute - time.Nanosecond)
		rung("the next write", 0)
		time.Sleep(time.Nanosecond)
		rung("overdue", 1)
		time.Sleep(time.Hour)
		rung("overdue still", 1)
		p.end()
		var none *stallTimer
		none.begin()
		none.end()
	})
}
