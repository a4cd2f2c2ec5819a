package record

import (
	"bytes"
	"errors"
	"sync"
	"time"
)

// errQueueFull is why a record is dropped when a sink takes records more slowly than they come.
var errQueueFull = errors.New("the sink is too slow, or it hangs")

// drainTime is how long the last records may take.
const drainTime = 2 * time.Second

// queue keeps a sink that can block, as a socket can whose reader hangs, away from exchanges.
type queue struct {
	ledger  *ledger
	records chan Record
	ended   chan struct{}

	mu     sync.RWMutex // put against close
	closed bool
}

func newQueue(length int, l *ledger) *queue {
	q := &queue{ledger: l, records: make(chan Record, length), ended: make(chan struct{})}
	go q.run()
	return q
}

func (q *queue) run() {
	defer close(q.ended)
	for r := range q.records {
		q.ledger.put(r)
	}
}

// put never waits.
func (q *queue) put(r Record) {
	r.Line = bytes.Clone(r.Line)
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		q.ledger.drop(r, errQueueFull)
		return
	}
	select {
	case q.records <- r:
	default:
		q.ledger.drop(r, errQueueFull)
	}
}

func (q *queue) reopen() error { return q.ledger.sink.Reopen() }

// close lets what waits be written, and reports whether that did not take too long; else the rest is dropped.
func (q *queue) close() bool {
	q.mu.Lock()
	q.closed = true
	close(q.records)
	q.mu.Unlock()
	late := time.NewTimer(drainTime)
	defer late.Stop()
	select {
	case <-q.ended:
		return true
	case <-late.C:
	}
	for r := range q.records { // the sink hangs: it gets no more
		q.ledger.drop(r, errQueueFull)
	}
	return false
}
