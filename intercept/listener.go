package intercept

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

const (
	// maxRefusalsTold bounds how many refused connections are told why at once; more are just closed.
	maxRefusalsTold = 64
	// lingerTime is how long a connection stays for its client to read the last answer.
	lingerTime = 2 * time.Second
)

// Listener wraps a listener: it lets in whom Config.Clients admits, reads the PROXY header of whom
// Config.ProxyProtocol names, and holds Limits.Connections and Limits.PerClient. Who is refused is told so in HTTP (403, 429, 503), but
// only closed on where it begins with TLS. Put TLS on top of it and not below, with [Plugin.SecureListener]:
//
//	server.Serve(plugin.Listener(l))
//
// Without it [Plugin.Front] still refuses strangers, request by request, and counts tunnels, but not connections, and nothing ends one that is stuck in
// the middle of an exchange.
func (p *Plugin) Listener(l net.Listener) net.Listener {
	p.Listening(l.Addr())
	return p.gatekeeper(l)
}

func (p *Plugin) gatekeeper(l net.Listener) *gatekeeper {
	return &gatekeeper{Listener: l, p: p, proxySources: p.proxySources, boundEach: !p.boundStalls(l)}
}

// gatekeeper is the listener that Listener returns, and that of the transparent door: it admits or refuses connections, and counts them.
type gatekeeper struct {
	net.Listener
	p            *Plugin
	proxySources []netip.Prefix // whose PROXY headers are read
	mute         bool           // the clients know of no proxy: who is refused hears nothing
	encrypted    bool           // TLS goes on top, so that requests are not seen here
	boundEach    bool           // Limits.Stall has to be set on each connection: the listener does not pass it on
}

// Accept implements net.Listener.
func (k *gatekeeper) Accept() (net.Conn, error) {
	for {
		c, err := k.Listener.Accept()
		if err != nil {
			k.p.acceptFailed(err)
			return nil, err
		}
		client := addressOf(c.RemoteAddr())
		announced := within(k.proxySources, client)
		if announced {
			client = netip.Addr{} // not known yet
		} else if !k.p.admits(client) {
			k.p.refused.clients.add(k.p, client, notAdmitted)
			k.refuse(c, http.StatusForbidden)
			continue
		}
		if status := k.p.acquire(slotConnection, client); status != 0 {
			k.refuse(c, status)
			continue
		}
		return k.wrap(c, client, announced), nil
	}
}

func (k *gatekeeper) wrap(c net.Conn, client netip.Addr, announced bool) net.Conn {
	state := &connState{p: k.p, conn: c, accepted: time.Now(), key: clientKey(client), encrypted: k.encrypted}
	k.p.traffic.addConn(state)
	if k.mute {
		state.strict.state = awaitsNothing // it may be anything; the hall looks at what is HTTP
	}
	if announced {
		state.proxyHeader = &proxyHeader{conn: c, state: state}
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		if k.boundEach {
			_ = k.p.boundStalls(tcp)
		}
		return &clientTCP{TCPConn: tcp, state: state}
	}
	return &clientConn{Conn: c, state: state}
}

// refuse closes a connection without holding up the next one. Its client is told why, unless it knows of no proxy or too many are being told.
func (k *gatekeeper) refuse(c net.Conn, status int) {
	if k.mute || !k.p.tellRefusal(c, status) {
		_ = c.Close()
	}
}

// tellRefusal tells a refused client why, and closes its connection, in a goroutine. It reports false where too many are being told already: then it does nothing.
func (p *Plugin) tellRefusal(c net.Conn, status int) bool {
	if p.refusalsTold.Add(1) > maxRefusalsTold || !p.traffic.enter() {
		p.refusalsTold.Add(-1)
		return false
	}
	p.traffic.addTunnel(c)
	go func() {
		defer p.traffic.leave()
		defer p.refusalsTold.Add(-1)
		defer p.traffic.removeTunnel(c)
		defer c.Close()
		writeRefusal(c, status)
	}()
	return true
}

// writeRefusal answers a refused connection and waits until the answer was read: closing with unread bytes of the client's in the buffer resets the
// connection, and the answer with it (RFC 9112, section 9.6). A client that begins with a TLS record cannot read it.
func writeRefusal(c net.Conn, status int) {
	_ = c.SetDeadline(time.Now().Add(lingerTime))
	var first [1024]byte
	if n, err := c.Read(first[:]); err != nil || n == 0 || first[0] == recordTypeHandshake {
		return
	}
	writeLast(c, refusalText(status))
}

// writeLast writes the last text of a connection and waits until it was read.
func writeLast(c net.Conn, text string) {
	if _, err := io.WriteString(c, text); err != nil {
		return
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		_, _ = io.CopyN(io.Discard, c, 64<<10)
	}
}

func refusalText(status int) string {
	why, retry := notAdmitted, ""
	if status != http.StatusForbidden {
		why, retry = overLimitText(slotConnection, status), "Retry-After: "+retryAfter+"\r\n"
	}
	text := "autodiscover-guard: " + why + ".\n"
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		statusLine(status), retry, len(text), text)
}

// notAdmitted is what a client outside Config.Clients is told.
const notAdmitted = "this address may not use the proxy; the setting clients.allow says who may"

// connState is what is known of a client's connection from Accept to Close. It holds a slot.
type connState struct {
	p           *Plugin
	conn        net.Conn
	accepted    time.Time  // when it was let in
	key         netip.Addr // see clientKey; the zero address until a PROXY header is read
	proxyHeader *proxyHeader
	strict      strict
	lingeringClose
	last      lastWord
	end       endSeen // of what TLS is on top of
	released  atomic.Bool
	encrypted bool
	progress  atomic.Uint32 // how much of a request was read last: requestNone, requestBegun or requestDone
}

const (
	requestNone  uint32 = iota // nothing yet
	requestBegun               // the beginning
	requestDone                // all of it, or what is not HTTP
)

// expectsRequest reports whether a stop has to wait for a request: one has begun, or the client connected less than a grace period ago and has sent nothing. Of a
// client that speaks TLS to this door only the latter is known.
func (s *connState) expectsRequest() bool {
	progress := s.progress.Load()
	return progress == requestBegun || progress == requestNone && time.Since(s.accepted) < gracePeriod
}

func (s *connState) release() {
	if !s.released.Swap(true) {
		s.p.traffic.removeConn(s)
		s.p.limiter.release(slotConnection, s.clientKey())
	}
}

// Close cuts the connection off, on behalf of traffic. Whoever serves it closes it once more, and so releases its slot.
func (s *connState) Close() error {
	s.last.end()
	return s.conn.Close()
}

func (s *connState) clientKey() netip.Addr {
	if s.proxyHeader != nil {
		return s.proxyHeader.clientKey()
	}
	return s.key
}

// read reads from c what HTTP is made of. On a connection that became something else nobody calls it.
func (s *connState) read(c net.Conn, b []byte) (int, error) {
	if s.lingeringClose.due() {
		return 0, io.EOF
	}
	if s.proxyHeader != nil {
		if _, err := s.proxyHeader.read(); err != nil {
			return 0, err
		}
	}
	n, err := s.strict.read(s.p, c, b, &s.last)
	if s.encrypted {
		s.end.note(err == io.EOF) //nolint:errorlint // as io.Reader has it
	} else {
		s.noteProgress()
	}
	return n, s.p.traffic.countStall(err)
}

// noteProgress notes how much of a request was read last.
func (s *connState) noteProgress() {
	heard := requestDone
	if s.strict.begun() {
		heard = requestBegun
	}
	if s.progress.Load() != heard {
		s.progress.Store(heard)
	}
}

// write writes to c.
func (s *connState) write(c net.Conn, b []byte) (int, error) {
	n, err := c.Write(b)
	return n, s.p.traffic.countStall(err)
}

// clientTCP is a client's connection that a gatekeeper accepted. It stays a TCP connection to whom it matters: see track.
type clientTCP struct {
	*net.TCPConn
	state *connState
}

// Read implements net.Conn.
func (c *clientTCP) Read(b []byte) (int, error) { return c.state.read(c.TCPConn, b) }

// Write implements net.Conn.
func (c *clientTCP) Write(b []byte) (int, error) { return c.state.write(c.TCPConn, b) }

func (c *clientTCP) hasEnded() bool { return c.state.end.hasEnded() }

// SetReadDeadline implements net.Conn.
func (c *clientTCP) SetReadDeadline(t time.Time) error {
	c.state.last.noteDeadline(t)
	return c.TCPConn.SetReadDeadline(t)
}

// RemoteAddr implements net.Conn: it is the address in the PROXY header, where there is one.
func (c *clientTCP) RemoteAddr() net.Addr { return c.state.remote(c.TCPConn) }

func (c *clientTCP) lingerOnClose() { c.state.lingerOnClose() }

// Close implements net.Conn.
func (c *clientTCP) Close() error {
	defer c.state.release()
	c.state.last.end()
	c.state.linger(c.state.p.graceOver, c.TCPConn)
	return c.TCPConn.Close()
}

// clientConn is clientTCP for any other kind of connection.
type clientConn struct {
	net.Conn
	state *connState
}

// Read implements net.Conn.
func (c *clientConn) Read(b []byte) (int, error) { return c.state.read(c.Conn, b) }

func (c *clientConn) hasEnded() bool { return c.state.end.hasEnded() }

// SetReadDeadline implements net.Conn.
func (c *clientConn) SetReadDeadline(t time.Time) error {
	c.state.last.noteDeadline(t)
	return c.Conn.SetReadDeadline(t)
}

// RemoteAddr implements net.Conn.
func (c *clientConn) RemoteAddr() net.Addr { return c.state.remote(c.Conn) }

func (c *clientConn) lingerOnClose() { c.state.lingerOnClose() }

// Close implements net.Conn.
func (c *clientConn) Close() error {
	defer c.state.release()
	c.state.last.end()
	c.state.linger(c.state.p.graceOver, c.Conn)
	return c.Conn.Close()
}

// acceptedAt is when a listener of ours accepted a connection; now, where another one did.
func acceptedAt(c net.Conn) time.Time {
	switch g := underlying(c).(type) {
	case *clientTCP:
		return g.state.accepted
	case *clientConn:
		return g.state.accepted
	}
	return time.Now()
}

func (s *connState) remote(c net.Conn) net.Addr {
	if s.proxyHeader != nil {
		if a, err := s.proxyHeader.read(); err == nil && a != nil {
			return a
		}
	}
	return c.RemoteAddr()
}

var (
	_ net.Conn = (*clientTCP)(nil)
	_ net.Conn = (*clientConn)(nil)
)
