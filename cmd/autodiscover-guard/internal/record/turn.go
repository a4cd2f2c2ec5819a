package record

import (
	"errors"
	"sync/atomic"
	"time"
)

// errHangs is why a record is dropped while another one is not taken.
var errHangs = errors.New("what they are written to hangs")

// hang is from when on a record that is being written is not waited for any more. A disk takes microseconds, and one that has much else to do a second or two;
// what takes longer is gone for nobody knows how long: a file server that does not answer, a file system that was frozen.
const hang = 5 * time.Second

// turns have records written by whoever made them, one at a time, so that each is with the operating system before its exchange goes on. Where the sink hangs, the
// exchange whose record it has hangs with it; nobody else waits for longer than that.
type turns struct {
	ledger *ledger
	taken  chan struct{} // is full while somebody has the turn
	origin time.Time
	since  atomic.Int64 // when it was taken (now); 0 while nobody has it, or nobody has said so yet
}

func newTurns(l *ledger) *turns {
	return &turns{ledger: l, taken: make(chan struct{}, 1), origin: time.Now()}
}

// put writes a record, or counts it.
func (t *turns) put(r Record) {
	if !t.take(hang) {
		t.ledger.drop(r, errHangs)
		return
	}
	defer t.leave()
	t.ledger.put(r)
}

// take waits for the turn until somebody has had it for most: however many wait, and however slow the sink is, whoever waits gets it in the end unless the sink hangs.
func (t *turns) take(most time.Duration) bool {
	select {
	case t.taken <- struct{}{}:
		t.since.Store(t.now())
		return true
	default:
	}
	for left := most - t.busy(); left > 0; left = most - t.busy() {
		timer := time.NewTimer(left)
		select {
		case t.taken <- struct{}{}:
			timer.Stop()
			t.since.Store(t.now())
			return true
		case <-timer.C:
		}
	}
	return false
}

func (t *turns) leave() {
	t.since.Store(0) // first, so that whoever comes next is not taken for us
	<-t.taken
}

// busy is for how long somebody has had the turn.
func (t *turns) busy() time.Duration {
	since := t.since.Load()
	if since == 0 {
		return 0
	}
	return time.Duration(t.now() - since)
}

// now is a time by the clock that nobody sets, and never 0.
func (t *turns) now() int64 { return int64(time.Since(t.origin)) + 1 }

func (t *turns) reopen() error {
	if !t.take(hang) {
		return errHangs
	}
	defer t.leave()
	return t.ledger.sink.Reopen()
}

// close waits for the record that is being written, and reports whether that did not take too long.
func (t *turns) close() bool {
	if !t.take(drainTime) {
		return false
	}
	t.leave()
	return true
}
