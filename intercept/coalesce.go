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
func (g *coalescingConn) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.err == nil && len(g.pending) > 0 && len(g.pending)+len(b) > coalesceMost {
		g.taken.Wait()
	}
	if g.err != nil {
		return 0, g.err
	}
	g.pending = append(g.pending, b...)
	if !g.writing {
		g.writing = true
		go g.write()
	}
	return len(b), nil
}

// Read implements net.Conn.
func (g *coalescingConn) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	if err != nil && g.isClosed() {
		err = net.ErrClosed // and not the deadline by which Close let the reader go
	}
	return n, err
}

func (g *coalescingConn) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// write sends what is pending, until nothing is.
func (g *coalescingConn) write() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.pending) > 0 {
		out := g.pending
		g.pending = g.spare[:0]
		g.taken.Broadcast()
		g.mu.Unlock()
		_, err := g.Conn.Write(out)
		g.mu.Lock()
		g.spare = out
		if err != nil {
			g.fail(err)
			g.pending = nil
		}
	}
	if cap(g.spare) > coalesceKept {
		g.spare = nil
	}
	if cap(g.pending) > coalesceKept {
		g.pending = nil
	}
	g.writing = false
	if g.closed {
		_ = g.Conn.Close()
	}
}

// fail lets nothing more be written. The first reason stays.
func (g *coalescingConn) fail(err error) {
	if g.err == nil {
		g.err = err
	}
	g.taken.Broadcast()
}

// Close implements net.Conn. What was written still leaves, TLS's closing alert most of all; readers are let go at once.
func (g *coalescingConn) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return net.ErrClosed
	}
	g.closed = true
	g.fail(net.ErrClosed)
	if !g.writing {
		return g.Conn.Close()
	}
	_ = g.Conn.SetReadDeadline(time.Unix(1, 0))
	return g.Conn.SetWriteDeadline(time.Now().Add(coalesceLinger))
}

// SetWriteDeadline implements net.Conn. A time that has passed, which crypto/tls sets behind its closing alert, is for later writes and not for what is
// pending.
func (g *coalescingConn) SetWriteDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !t.IsZero() && !t.After(time.Now()) {
		g.fail(os.ErrDeadlineExceeded)
		return nil
	}
	return g.Conn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn.
func (g *coalescingConn) SetDeadline(t time.Time) error {
	if err := g.SetReadDeadline(t); err != nil {
		return err
	}
	return g.SetWriteDeadline(t)
}
