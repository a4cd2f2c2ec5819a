package intercept

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Whoever takes none of the bytes that wait for him for Limits.Stall is given up: a client that asks for much and reads nothing would keep its slots and an
// upstream connection for as long as it likes. The kernel alone knows for how long a connection's bytes wait, those too that it holds for us, and it
// ends what waits too long (boundStall), without a call or a timer of ours. A stream of HTTP/2 may be stuck on a connection that is well: see stallTimer.

// boundStalls bounds how long a socket's bytes may wait, and those of all connections where it listens. It reports false where the system cannot do that: sockets
// of Multipath TCP, which package net makes listeners of, know no such bound, while what they accept is TCP as a rule.
func (p *Plugin) boundStalls(socket any) bool {
	s, ok := socket.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	return err == nil && boundStall(raw, p.limits.Stall)
}

// bounded sets the bound of Limits.Stall on each connection that g lets through.
func (g dialControl) bounded(stall time.Duration) dialControl {
	return func(ctx context.Context, network, address string, c syscall.RawConn) error {
		if err := g(ctx, network, address, c); err != nil {
			return err
		}
		if c != nil { // literal only asks
			_ = boundStall(c, stall)
		}
		return nil
	}
}

// countStall counts what the kernel has given up. It says so once for each connection, to whoever uses it next; copying takes the error of one end to the other.
func (t *traffic) countStall(err error) error {
	if !errors.Is(err, syscall.ETIMEDOUT) {
		return err
	}
	if _, counted := errors.AsType[*stallError](err); counted {
		return err
	}
	t.stalled.Add(1)
	return &stallError{err}
}

// stallError is what countStall has counted.
type stallError struct{ error }

// Unwrap lets errors.Is find what it was.
func (e *stallError) Unwrap() error { return e.error }

// stallTimer bounds how long one write to a stream of HTTP/2 may be stuck, which is where the other side grants it no room (RFC 9113, section 5.2). What is overdue
// resets the stream. Between two writes nobody waits, however long that is. A nil stallTimer bounds nothing.
type stallTimer struct {
	traffic *traffic
	most    time.Duration
	control *http.ResponseController
	mu      sync.Mutex
	timer   *time.Timer
	due     time.Time // zero between two writes
}

func (t *traffic) newStallTimer(most time.Duration, control *http.ResponseController) *stallTimer {
	return &stallTimer{traffic: t, most: most, control: control}
}

// begin starts the timer before a write, and end stops it behind the write.
func (t *stallTimer) begin() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due = time.Now().Add(t.most)
	if t.timer == nil {
		t.timer = time.AfterFunc(t.most, t.expire)
		return
	}
	t.timer.Reset(t.most)
}

func (t *stallTimer) end() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due = time.Time{}
	t.timer.Stop()
}

// expire resets the stream. It holds the lock meanwhile, so that the handler does not get past end and return: then the stream would not be ours any more.
func (t *stallTimer) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.due.IsZero() || time.Now().Before(t.due) {
		return
	}
	t.traffic.stalled.Add(1)
	_ = t.control.SetWriteDeadline(time.Unix(1, 0))
}
