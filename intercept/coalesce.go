package intercept

import (
	"net"
	"os"
	"sync"
	"time"
)

// coalescingConn is a connection whose writes return at once and leave together. Many exchanges share one HTTP/2 connection, and net/http's client
// (go1.26, h2_bundle.go) sends a request's header, its body and the news of what was read of an answer each by itself: over loopback these
// writes cost as much as judging the answer. Here one goroutine writes, and whatever comes meanwhile goes with its next write.
//
// Nothing waits for company, so an exchange that is alone is not held up. A write that fails is told to the writer after it; net/http hears of a
// broken connection from its reader first, as it does where the kernel has taken the bytes.
type coalescingConn struct {
	net.Conn
	mu      sync.Mutex
	taken   sync.Cond // something of pending was, or never will be
	pending []byte
	spare   []byte // what pending is swapped with
	writing bool   // the goroutine runs
	closed  bool
	err     error // why nothing more can be written
}

const (
	// coalesceMost is how much may wait to be written; a writer with more waits itself, as it would for the kernel.
	coalesceMost = 64 << 10
	// coalesceKept is how much room stays with a connection that has nothing to write, twice.
	coalesceKept = 16 << 10
	// coalesceLinger is how long what was written before a Close may take to leave.
	coalesceLinger = 5 * time.Second
)

func coalesce(c net.Conn) *coalescingConn {
	g := &coalescingConn{Conn: c}
	g.taken.L = &g.mu
	return g
}

// Write implements net.Conn. It keeps a copy of b and may return before anything was sent.
func (c *coalescingConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && len(c.pending) > 0 && len(c.pending)+len(b) > coalesceMost {
		c.taken.Wait()
	}
	if c.err != nil {
		return 0, c.err
	}
	c.pending = append(c.pending, b...)
	if !c.writing {
		c.writing = true
		go c.write()
	}
	return len(b), nil
}

// Read implements net.Conn.
func (c *coalescingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && c.isClosed() {
		err = net.ErrClosed // and not the deadline by which Close let the reader go
	}
	return n, err
}

func (c *coalescingConn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// write sends what is pending, until nothing is.
func (c *coalescingConn) write() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) > 0 {
		out := c.pending
		c.pending = c.spare[:0]
		c.taken.Broadcast()
		c.mu.Unlock()
		_, err := c.Conn.Write(out)
		c.mu.Lock()
		c.spare = out
		if err != nil {
			c.fail(err)
			c.pending = nil
		}
	}
	if cap(c.spare) > coalesceKept {
		c.spare = nil
	}
	if cap(c.pending) > coalesceKept {
		c.pending = nil
	}
	c.writing = false
	if c.closed {
		_ = c.Conn.Close()
	}
}

// fail lets nothing more be written. The first reason stays.
func (c *coalescingConn) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.taken.Broadcast()
}

// Close implements net.Conn. What was written still leaves, TLS's closing alert most of all; readers are let go at once.
func (c *coalescingConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.closed = true
	c.fail(net.ErrClosed)
	if !c.writing {
		return c.Conn.Close()
	}
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
	return c.Conn.SetWriteDeadline(time.Now().Add(coalesceLinger))
}

// SetWriteDeadline implements net.Conn. A time that has passed, which crypto/tls sets behind its closing alert, is for later writes and not for what is
// pending.
func (c *coalescingConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !t.IsZero() && !t.After(time.Now()) {
		c.fail(os.ErrDeadlineExceeded)
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *coalescingConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}
