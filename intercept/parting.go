package intercept

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// parting is how a client's connection ends of which a request's body was not read to its end: nothing is read any more, not as a request least of all, the answer leaves, and then the
// client has time to take it and to go. To close with unread bytes at once would be a reset, and could cost it the answer (RFC 9112, section 9.6). net/http (go1.26, server.go:
// closeWriteAndWait) does this only where it knows of the rest, and waits without reading.
type parting struct{ state atomic.Uint32 }

const (
	partingDue = iota + 1
	partingDone
)

func (p *parting) part() { p.state.Store(partingDue) }

func (p *parting) due() bool { return p.state.Load() != 0 }

// linger is called before c is closed.
func (p *parting) linger(parting context.Context, c net.Conn) {
	if !p.state.CompareAndSwap(partingDue, partingDone) {
		return
	}
	_ = c.SetDeadline(time.Now().Add(farewellTime))
	defer context.AfterFunc(parting, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, c)
}

// parter is a connection that can end so.
type parter interface{ part() }

// parterOf finds the client's connection; nil where it does not come from our listener, or to a server without our ConnContext.
func parterOf(ctx context.Context) parter {
	if a, ok := ctx.Value(bindingKey{}).(*attached); ok {
		return a.conn
	}
	return nil
}
