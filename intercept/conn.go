package intercept

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// hallConn is a client's connection inside a tunnel that is opened: bytes that came together with the CONNECT request first, then the
// connection. goproxy v1.9.4, https.go loses the former when it hands a connection over (ConnectHijack).
type hallConn struct {
	net.Conn
	early   []byte
	front   *front
	target  target // of the transparent door's plain HTTP only the port counts: each request says which host is meant
	door    door
	byHost  bool
	shunned bool // no handshake succeeds, whatever the authority would sign
	refused bool // the handshake was turned away
	hello   clientHello
	plaintextAlert
	endSeen
	selfCheck bool // made by SelfCheck: nobody's, and not counted
	binding   *binding
	leaf      *tls.Certificate
	release   func() // gives the tunnel's slot back
	once      sync.Once
	// expected says that a stop waits for this connection's first request: its client was told that the tunnel stands, and has asked nothing yet.
	expected atomic.Bool
}

// expectRequest has a stop wait for the connection's first request, or its end.
func (c *hallConn) expectRequest() {
	c.expected.Store(true)
	c.front.p.traffic.expect()
}

func (c *hallConn) requestArrived() {
	if c.expected.Swap(false) {
		c.front.p.traffic.arrive()
	}
}

// Read implements net.Conn.
func (c *hallConn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		c.plaintextAlert.note(p[:n])
		return n, nil
	}
	n, err := c.Conn.Read(p)
	c.plaintextAlert.note(p[:n])
	c.endSeen.note(err == io.EOF) //nolint:errorlint // as io.Reader has it
	return n, err
}

// CloseWrite is for last words: see lingeringClose.
func (c *hallConn) CloseWrite() error { return closeWrite(c.Conn) }

// Close implements net.Conn. Upstream connections that were authenticated for this client end with it.
func (c *hallConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.front.p.bindings.drop(c.binding)
		c.release()
		c.requestArrived()
	})
	return err
}

// scheme is what is spoken in the tunnel.
func (c *hallConn) scheme() string {
	if c.target.port == portHTTP {
		return "http"
	}
	return "https"
}

// hallConnOf finds the connection again that net/http was given.
func hallConnOf(c net.Conn) (*hallConn, bool) {
	hc, ok := underlying(c).(*hallConn)
	return hc, ok
}

// underlying is the connection that was accepted, without the TLS and the strictConn on top of it.
func underlying(c net.Conn) net.Conn {
	if w, ok := c.(*strictConn); ok {
		c = w.Conn
	}
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	return c
}

// targetOf is the target of one request: the tunnel's, or at the transparent door the one that a plain request names. That goes to the port that
// the connection was made to (misdirected sees to it), and to that address where it names no host.
func (c *hallConn) targetOf(r *http.Request) (target, error) {
	if !c.byHost || r.Host == "" {
		return c.target, nil
	}
	t, err := parseTarget(strings.TrimSuffix(r.Host, ":"), c.target.port)
	t.port = c.target.port
	return t, err
}
