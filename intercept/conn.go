package intercept

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// hallConn is a client's connection inside a tunnel that is opened: bytes that came together with the CONNECT request first, then the
// connection. goproxy v1.9.3, https.go loses the former when it hands a connection over (ConnectHijack).
type hallConn struct {
	net.Conn
	early   []byte
	front   *front
	target  target
	shunned bool // no handshake succeeds, whatever the authority would sign
	binding *binding
	leaf    *tls.Certificate
	once    sync.Once
}

// Read implements net.Conn.
func (c *hallConn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// Close implements net.Conn. Upstream connections that were authenticated for this client end with it.
func (c *hallConn) Close() error {
	c.once.Do(c.binding.close)
	return c.Conn.Close()
}

// scheme is what is spoken in the tunnel.
func (c *hallConn) scheme() string {
	if c.target.port == portHTTP {
		return "http"
	}
	return "https"
}

func (c *hallConn) door() door {
	if c.target.port == portHTTP {
		return doorConnectPlain
	}
	return doorConnect
}

// hallConnOf finds the connection again that net/http was given.
func hallConnOf(c net.Conn) (*hallConn, bool) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	hc, ok := c.(*hallConn)
	return hc, ok
}

// tunnelWriter is handed to goproxy with a CONNECT request that is not opened. Hijacked connections are booked, so that Shutdown can
// wait for the tunnel and Close can end it.
type tunnelWriter struct {
	http.ResponseWriter
	traffic *traffic
	started atomic.Bool
	conn    net.Conn
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

// Flush implements http.Flusher.
func (w *tunnelWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController find the deadlines of an HTTP/2 stream.
func (w *tunnelWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack implements http.Hijacker.
func (w hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.started.Store(true)
	c, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.conn = book(w.traffic, c)
	return w.conn, rw, nil
}

// book takes a hijacked connection into the books. A TCP connection stays one to the eye of goproxy and of io.Copy: without CloseRead,
// CloseWrite, ReadFrom and WriteTo there would be no half-close (goproxy v1.9.3, https.go: halfClosable) and no splice.
func book(t *traffic, c net.Conn) net.Conn {
	if tcp, ok := c.(*net.TCPConn); ok {
		b := &bookedTCP{TCPConn: tcp, traffic: t}
		t.add(b)
		return b
	}
	b := &booked{Conn: c, traffic: t}
	t.add(b)
	return b
}

// started is a connection that knows whether a byte was written to it: after that, an error page would be taken for tunnel data.
type started interface{ hasStarted() bool }

type bookedTCP struct {
	*net.TCPConn
	traffic *traffic
	wrote   atomic.Bool
	once    sync.Once
}

// Write implements net.Conn.
func (c *bookedTCP) Write(p []byte) (int, error) {
	c.wrote.Store(true)
	return c.TCPConn.Write(p)
}

// Close implements net.Conn.
func (c *bookedTCP) Close() error {
	err := c.TCPConn.Close()
	c.once.Do(func() { c.traffic.remove(c) })
	return err
}

func (c *bookedTCP) hasStarted() bool { return c.wrote.Load() }

type booked struct {
	net.Conn
	traffic *traffic
	wrote   atomic.Bool
	once    sync.Once
}

// Write implements net.Conn.
func (c *booked) Write(p []byte) (int, error) {
	c.wrote.Store(true)
	return c.Conn.Write(p)
}

// Close implements net.Conn.
func (c *booked) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.traffic.remove(c) })
	return err
}

func (c *booked) hasStarted() bool { return c.wrote.Load() }

var (
	_ started = (*bookedTCP)(nil)
	_ started = (*booked)(nil)
	_ started = (*tunnelWriter)(nil)
)

func (w *tunnelWriter) hasStarted() bool { return w.started.Load() }
