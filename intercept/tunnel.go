package intercept

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// tunnelWriter is handed to goproxy with a CONNECT request that is not opened. Hijacked connections are tracked, so that Shutdown can
// wait for the tunnel and Close can end it.
type tunnelWriter struct {
	http.ResponseWriter
	traffic *traffic
	far     *farSide
	release func() // gives the tunnel's slot back
	started atomic.Bool
	conn    net.Conn
	stall   *stallTimer   // of a stream of HTTP/2
	stream  *streamTunnel // nil over HTTP/1
}

// hijackable is a tunnelWriter over HTTP/1; goproxy recognises HTTP/2 by the missing method.
type hijackable struct {
	*tunnelWriter
}

// WriteHeader implements http.ResponseWriter.
func (w *tunnelWriter) WriteHeader(code int) {
	w.started.Store(true)
	w.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (w *tunnelWriter) Write(p []byte) (int, error) {
	w.stall.begin()
	defer w.stall.end()
	return w.ResponseWriter.Write(p)
}

// Flush implements http.Flusher.
func (w *tunnelWriter) Flush() {
	w.stall.begin()
	defer w.stall.end()
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController find the deadlines of an HTTP/2 stream.
func (w *tunnelWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// SetWriteDeadline is how goproxy v1.9.4, https.go ends what is written to a stream whose client has ended. Where nothing is written any more, the stream ends in good form.
func (w *tunnelWriter) SetWriteDeadline(t time.Time) error {
	if w.stream != nil && w.stream.isClosed() {
		return nil
	}
	return http.NewResponseController(w.ResponseWriter).SetWriteDeadline(t)
}

func (w *tunnelWriter) hasStarted() bool { return w.started.Load() }

// Hijack implements http.Hijacker.
func (w hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.started.Store(true)
	c, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	conn, traffic := track(w.traffic, c, w.release), w.traffic
	// It must not hold on to w: for as long as a tunnel stands, that would keep what net/http has of the request.
	w.far.untrack = func() { traffic.removeTunnel(conn) }
	w.conn = conn
	return conn, rw, nil
}

// farSide is the upstream end of a tunnel. To close it ends the tunnel, whatever that is stuck in; to close the client's end would not, where one of the two does not read.
type farSide struct {
	traffic *traffic
	opener  func(c net.Conn) net.Conn // see openWhenNamed; nil where the tunnel is never opened
	untrack func()                    // ends the tracking
	named   target                    // the host that the client has named, where the tunnel is for an address; else zero
	mu      sync.Mutex
	conn    io.Closer
	closed  bool
}

// openWhenNamed has the tunnel opened if its client names a host that the policy opens: see byAddress.
func (f *farSide) openWhenNamed(front *front, r *http.Request, to target, d door) {
	f.opener = func(c net.Conn) net.Conn { return &byAddress{Conn: c, front: front, far: f, asked: r, to: to, door: d} }
}

// wrap is what goproxy gets for a connection that was dialled for the tunnel.
func (f *farSide) wrap(c net.Conn) net.Conn {
	switch end := c.(type) {
	case *net.TCPConn:
		c = &farTCP{TCPConn: end, traffic: f.traffic}
	case overTLS:
		c = &farTLS{overTLS: end, traffic: f.traffic}
	}
	if f.opener != nil {
		c = f.opener(c)
	}
	return c
}

// keep has c closed with the tunnel. Where that has ended meanwhile, c is closed at once, and keep reports false.
func (f *farSide) keep(c io.Closer) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		_ = c.Close()
		return false
	}
	f.conn = c
	return true
}

// cut reports whether the client's end must be reset, so that it does not take what came for the whole.
func (f *farSide) cut() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.conn
	if b, ok := c.(*byAddress); ok {
		if b.broken() {
			return true
		}
		c = b.Conn
	}
	far, ok := c.(interface{ isBroken() bool })
	return ok && far.isBroken()
}

// reset ends the far side so that it must take what came for a part.
func (f *farSide) reset() {
	f.mu.Lock()
	c, ok := f.conn.(net.Conn)
	f.mu.Unlock()
	if ok {
		reset(c)
	}
}

// closeWrite tells the far side that nothing more comes. It reports false where that cannot be told.
func (f *farSide) closeWrite() bool {
	f.mu.Lock()
	half, ok := f.conn.(interface{ CloseWrite() error })
	f.mu.Unlock()
	return ok && half.CloseWrite() == nil
}

func (f *farSide) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.conn != nil {
		_ = f.conn.Close()
	}
}

// track tracks a hijacked connection as a tunnel; release is called when it is closed. A TCP connection stays one to the eye of goproxy and
// of io.Copy: without CloseRead, CloseWrite, ReadFrom and WriteTo there would be no half-close (goproxy v1.9.4, https.go: halfClosable) and
// no splice.
func track(t *traffic, whole net.Conn, release func()) net.Conn {
	if w, ok := whole.(*strictConn); ok && w.strict.ahead.held == nil {
		whole = w.Conn
	}
	var out net.Conn
	switch c := whole.(type) {
	case *net.TCPConn:
		out = &trackedTCP{TCPConn: c, tracking: newTracking(t, whole, release)}
	case *clientTCP:
		if c.state.strict.ahead.held != nil { // a tunnel's first bytes came before it was their turn
			out = &tracked{Conn: whole, tracking: newTracking(t, whole, release)}
			break
		}
		out = &trackedTCP{TCPConn: c.TCPConn, tracking: newTracking(t, whole, release)}
	case *redirected:
		out = &trackedTCP{TCPConn: c.TCPConn, tracking: newTracking(t, whole, release), mute: true}
	case *tls.Conn:
		out = &trackedTLS{Conn: c, tracking: newTracking(t, whole, release)}
	default:
		out = &tracked{Conn: whole, tracking: newTracking(t, whole, release)}
	}
	t.addTunnel(out)
	return out
}

// tracking is what a tracked connection knows of itself.
type tracking struct {
	traffic *traffic
	whole   net.Conn // what was hijacked, and is to be closed
	release func()
	wrote   atomic.Bool
	once    sync.Once
}

func newTracking(t *traffic, whole net.Conn, release func()) tracking {
	return tracking{traffic: t, whole: whole, release: release}
}

// close ends the connection that embeds it, which is self.
func (e *tracking) close(self net.Conn) error {
	err := e.whole.Close()
	e.once.Do(func() {
		e.traffic.removeTunnel(self)
		if e.release != nil {
			e.release()
		}
	})
	return err
}

func (e *tracking) hasStarted() bool { return e.wrote.Load() }

// started is a connection that knows whether a byte was written to it: after that, an error page would be taken for tunnel data.
type started interface{ hasStarted() bool }

var (
	_ started = (*trackedTCP)(nil)
	_ started = (*trackedTLS)(nil)
	_ started = (*tracked)(nil)
	_ started = (*tunnelWriter)(nil)
)

type trackedTCP struct {
	*net.TCPConn
	tracking
	mute bool // the client asked no proxy for anything, and must not hear its answer
}

// Write implements net.Conn.
func (c *trackedTCP) Write(p []byte) (int, error) {
	if c.mute {
		return c.swallow(p)
	}
	c.wrote.Store(true)
	n, err := c.TCPConn.Write(p)
	return n, c.traffic.countStall(err)
}

// WriteTo implements io.WriterTo, which io.Copy asks first.
func (c *trackedTCP) WriteTo(w io.Writer) (int64, error) {
	switch dst := w.(type) {
	case *farTCP:
		n, err := splice(dst.TCPConn, c.TCPConn)
		passCut(dst, c, err)
		return n, c.traffic.countStall(err)
	case *farTLS:
		return dst.ReadFrom(c)
	case *byAddress:
		return dst.ReadFrom(c)
	}
	n, err := c.TCPConn.WriteTo(w)
	return n, c.traffic.countStall(err)
}

// ReadFrom implements io.ReaderFrom.
func (c *trackedTCP) ReadFrom(r io.Reader) (int64, error) {
	n, err := c.TCPConn.ReadFrom(r)
	passCut(r, c, err)
	return n, c.traffic.countStall(err)
}

// farTCP is the far end of a tunnel.
type farTCP struct {
	*net.TCPConn
	traffic *traffic
	broken  atomic.Bool // it ended otherwise than in good form
}

// Write implements net.Conn.
func (c *farTCP) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	return n, c.traffic.countStall(err)
}

// ReadFrom implements io.ReaderFrom.
func (c *farTCP) ReadFrom(r io.Reader) (int64, error) {
	n, err := c.TCPConn.ReadFrom(r)
	passCut(c, r, err)
	return n, c.traffic.countStall(err)
}

// WriteTo implements io.WriterTo.
func (c *farTCP) WriteTo(w io.Writer) (int64, error) {
	var n int64
	var err error
	if dst, ok := w.(*trackedTCP); ok {
		n, err = splice(dst.TCPConn, c.TCPConn)
	} else {
		n, err = c.TCPConn.WriteTo(w)
	}
	if isCut(err) {
		c.broken.Store(true)
	}
	passCut(c, w, err)
	return n, c.traffic.countStall(err)
}

// isBroken reports whether the far side has broken off.
func (c *farTCP) isBroken() bool { return c.broken.Load() }

// swallow keeps back what goproxy says to whoever sent a CONNECT request: 200 in one write (v1.9.4, https.go), or an error page, after which
// there is nothing to come. Were it ever written in another way, the tunnel would end and not carry words of ours.
func (c *trackedTCP) swallow(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("HTTP/1.1 200 ")) && bytes.HasSuffix(p, []byte("\r\n\r\n")) && bytes.Count(p, []byte("\r\n\r\n")) == 1 {
		c.mute = false
		c.wrote.Store(true)
		return len(p), nil
	}
	_ = c.Close()
	return 0, net.ErrClosed
}

// Close implements net.Conn.
func (c *trackedTCP) Close() error { return c.close(c) }

// trackedTLS is a client's connection to the explicit door over TLS, which can be half closed too.
type trackedTLS struct {
	*tls.Conn
	tracking
}

// Write implements net.Conn.
func (c *trackedTLS) Write(p []byte) (int, error) {
	c.wrote.Store(true)
	return c.Conn.Write(p)
}

// CloseRead makes it look half-closable to goproxy; there is nothing to do, the client has said that it will not write.
func (c *trackedTLS) CloseRead() error { return nil }

// Close implements net.Conn.
func (c *trackedTLS) Close() error { return c.close(c) }

type tracked struct {
	net.Conn
	tracking
}

// Write implements net.Conn.
func (c *tracked) Write(p []byte) (int, error) {
	c.wrote.Store(true)
	return c.Conn.Write(p)
}

// Close implements net.Conn.
func (c *tracked) Close() error { return c.close(c) }
