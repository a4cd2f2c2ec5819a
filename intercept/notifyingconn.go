package intercept

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"syscall"
)

// notifyingConn is a connection to upstream that tells the body of the request that goes over it when it is closed: net/http tells nobody before it has read that body on. It knows, too,
// that the kernel has given it up (boundStall), which the kernel says once, to whoever reads or writes first; the other is told of an end like any.
type notifyingConn struct {
	net.Conn
	body    atomic.Pointer[clientBody]
	closed  atomic.Bool
	reading sync.Mutex // held by a read that is under way
	stuck   atomic.Bool
	http2   bool // it speaks HTTP/2
}

// notifyingConnOf finds the connection to upstream that a request goes by; nil where that is not ours, or speaks HTTP/2. TLS is not asked what it speaks: where a server
// has begun another handshake, it would answer when that is over (go1.26, conn.go: ConnectionState), which may be never.
func notifyingConnOf(info httptrace.GotConnInfo) *notifyingConn {
	c := info.Conn
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	far, _ := c.(*notifyingConn)
	if far != nil && far.http2 {
		return nil
	}
	return far
}

// tell has the body told of the end of the connection, once.
func (t *notifyingConn) tell(b *clientBody) {
	t.body.Store(b)
	if t.closed.Load() {
		t.say()
	}
}

func (t *notifyingConn) say() {
	if b := t.body.Swap(nil); b != nil {
		b.upstreamClosed()
	}
}

// forget has it not told: the connection may be another request's now.
func (t *notifyingConn) forget(b *clientBody) { t.body.CompareAndSwap(b, nil) }

// Close implements net.Conn.
func (t *notifyingConn) Close() error {
	err := t.Conn.Close()
	t.closed.Store(true)
	t.say()
	return err
}

// Read implements io.Reader.
func (t *notifyingConn) Read(p []byte) (int, error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	n, err := t.Conn.Read(p)
	t.notice(err)
	return n, err
}

// Write implements io.Writer.
func (t *notifyingConn) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	t.wrote(err)
	return n, err
}

// ReadFrom implements io.ReaderFrom, for what the connection itself can do.
func (t *notifyingConn) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(t.Conn, r)
	t.wrote(err)
	return n, err
}

// notice remembers that the kernel has given the connection up. What countStall has counted is the client's, whose body did not come.
func (t *notifyingConn) notice(err error) {
	if _, near := errors.AsType[*stallError](err); !near && errors.Is(err, syscall.ETIMEDOUT) {
		t.stuck.Store(true)
	}
}

// wrote waits where a write fails on a connection that has ended in both directions for the read that may have been told why: it ends, too. Whose answer is not awaited may have
// ended one direction alone.
func (t *notifyingConn) wrote(err error) {
	t.notice(err)
	if errors.Is(err, syscall.EPIPE) && t.body.Load() != nil {
		t.reading.Lock()
		t.reading.Unlock() //nolint:staticcheck // nothing is guarded, an end is awaited
	}
}

// CloseWrite is for who speaks something else than HTTP over it (net/http, transport.go: readWriteCloserBody).
func (t *notifyingConn) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return http.ErrNotSupported
}
