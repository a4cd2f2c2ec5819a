package intercept

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// lingeringClose ends a client's connection when the body of its request was not read to the end: nothing more is read from it, least of all as a request,
// the answer leaves, and then the client has time to take it and to go. To close with unread bytes at once would be a reset, and could cost it the answer
// (RFC 9112, section 9.6). net/http (go1.26, server.go: closeWriteAndWait) does this only where it knows of the rest, and waits without reading.
type lingeringClose struct{ state atomic.Uint32 }

const (
	lingerDue = iota + 1
	lingerDone
)

// lingerOnClose has the connection end so when it is closed.
func (l *lingeringClose) lingerOnClose() { l.state.Store(lingerDue) }

// due reports whether nothing more is to be read.
func (l *lingeringClose) due() bool { return l.state.Load() != 0 }

// linger is called before c is closed. It is cut short when the grace is over.
func (l *lingeringClose) linger(graceOver context.Context, c net.Conn) {
	if !l.state.CompareAndSwap(lingerDue, lingerDone) {
		return
	}
	_ = c.SetDeadline(time.Now().Add(lingerTime))
	defer context.AfterFunc(graceOver, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	_ = closeWrite(c)
	_, _ = io.Copy(io.Discard, c)
}

// closeWrite tells the other side that nothing more comes, where a connection can be closed by half; it does nothing elsewhere.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// lingerer is a connection that can end so.
type lingerer interface{ lingerOnClose() }

// lingererOf finds the client's connection; nil where it does not come from our listener, or to a server without our ConnContext.
func lingererOf(ctx context.Context) lingerer {
	if a, ok := ctx.Value(bindingKey{}).(*attached); ok {
		return a.conn
	}
	return nil
}
