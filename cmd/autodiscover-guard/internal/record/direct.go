package record

import (
	"errors"
	"sync/atomic"
	"time"
)

// errHangs is why a record is dropped while another one is not taken.
var errHangs = errors.New("what they are written to hangs")

// hangTime is from when on a record that is being written is not waited for any more. A disk takes microseconds, and one that has much else to do a second or two;
// what takes longer is gone for nobody knows how long: a file server that does not answer, a file system that was frozen.
const hangTime = 5 * time.Second

// directWriter has records written by whoever made them, one at a time, so that each is with the operating system before its exchange goes on. Where the sink hangs, the
// exchange whose record it has hangs with it; nobody else waits for longer than that.
type directWriter struct {
	ledger *ledger
	taken  chan struct{} // the lock: full while somebody writes
	origin time.Time
	since  atomic.Int64 // when it was taken (now); 0 while nobody holds it, or has not said so yet
}

func newDirectWriter(l *ledger) *directWriter {
	return &directWriter{ledger: l, taken: make(chan struct{}, 1), origin: time.Now()}
}

// put writes a record, or counts it.
func (d *directWriter) put(r Record) {
	if !d.lock(hangTime) {
		d.ledger.drop(r, errHangs)
		return
	}
	defer d.unlock()
	d.ledger.put(r)
}

// lock waits until somebody has held the lock for most, and reports whether it got it: however many wait, and however slow the sink is, whoever waits gets it in the end unless the sink hangs.
func (d *directWriter) lock(most time.Duration) bool {
	select {
	case d.taken <- struct{}{}:
		d.since.Store(d.now())
		return true
	default:
	}
	for left := most - d.heldFor(); left > 0; left = most - d.heldFor() {
		timer := time.NewTimer(left)
		select {
		case d.taken <- struct{}{}:
			timer.Stop()
			d.since.Store(d.now())
			return true
		case <-timer.C:
		}
	}
	return false
}

func (d *directWriter) unlock() {
	d.since.Store(0) // first, so that whoever comes next is not taken for us
	<-d.taken
}

// heldFor is for how long the lock has been held.
func (d *directWriter) heldFor() time.Duration {
	since := d.since.Load()
	if since == 0 {
		return 0
	}
	return time.Duration(d.now() - since)
}

// now is a time by the clock that nobody sets, and never 0.
func (d *directWriter) now() int64 { return int64(time.Since(d.origin)) + 1 }

func (d *directWriter) reopen() error {
	if !d.lock(hangTime) {
		return errHangs
	}
	defer d.unlock()
	return d.ledger.sink.Reopen()
}

// close waits for the record that is being written, and reports whether that did not take too long.
func (d *directWriter) close() bool {
	if !d.lock(drainTime) {
		return false
	}
	d.unlock()
	return true
}
