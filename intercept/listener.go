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
	// maxFarewells bounds how many refused connections are told why at once; more are closed without a word.
	maxFarewells = 64
	// farewellTime is how long a refused client may take to listen.
	farewellTime = 2 * time.Second
)

// Listener puts the guard's own gate into a listener: it lets in whom Config.Clients admits, reads the PROXY header of whom
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
	return &gatekeeper{Listener: l, p: p, proxySources: p.proxySources, each: !p.boundStalls(l)}
}

// gatekeeper is the listener that Listener returns, and the one of the transparent door.
type gatekeeper struct {
	net.Listener
	p            *Plugin
	proxySources []netip.Prefix // whose PROXY headers are read
	mute         bool           // nobody speaks HTTP here: who is refused hears nothing
	veiled       bool           // TLS goes on top, so that nobody sees here what is asked
	each         bool           // connections do not have the bound of Limits.Stall from the listener
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
			k.dismiss(c, http.StatusForbidden)
			continue
		}
		if status := k.p.acquire(slotConnection, client); status != 0 {
			k.dismiss(c, status)
			continue
		}
		return k.guest(c, client, announced), nil
	}
}

func (k *gatekeeper) guest(c net.Conn, client netip.Addr, announced bool) net.Conn {
	place := &place{p: k.p, conn: c, since: time.Now(), key: clientKey(client), veiled: k.veiled}
	k.p.traffic.watchOver(place)
	if k.mute {
		place.strict.state = awaitsNothing // it may be anything; the hall looks at what is HTTP
	}
	if announced {
		place.proxyHeader = &proxyHeader{conn: c, place: place}
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		if k.each {
			_ = k.p.boundStalls(tcp)
		}
		return &guestTCP{TCPConn: tcp, place: place}
	}
	return &guest{Conn: c, place: place}
}

// dismiss refuses a connection, without holding up the next one.
func (k *gatekeeper) dismiss(c net.Conn, status int) {
	if k.mute || !k.p.farewell(c, status) {
		_ = c.Close()
	}
}

// farewell has a refused client told why, in a goroutine of its own; it reports false where too many are being told already.
func (p *Plugin) farewell(c net.Conn, status int) bool {
	if p.farewells.Add(1) > maxFarewells || !p.traffic.enter() {
		p.farewells.Add(-1)
		return false
	}
	p.traffic.add(c)
	go func() {
		defer p.traffic.leave()
		defer p.farewells.Add(-1)
		defer p.traffic.remove(c)
		defer c.Close()
		bid(c, status)
	}()
	return true
}

// bid writes an answer and waits until it was read: closing with unread bytes of the client's in the buffer resets the connection, and
// the answer with it (RFC 9112, section 9.6). A client that begins with a TLS record cannot read it.
func bid(c net.Conn, status int) {
	_ = c.SetDeadline(time.Now().Add(farewellTime))
	var first [1024]byte
	if n, err := c.Read(first[:]); err != nil || n == 0 || first[0] == recordHandshake {
		return
	}
	part(c, lastWords(status))
}

// part writes the last text of a connection and waits until it was read.
func part(c net.Conn, text string) {
	if _, err := io.WriteString(c, text); err != nil {
		return
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		_, _ = io.CopyN(io.Discard, c, 64<<10)
	}
}

func lastWords(status int) string {
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

// place is what a connection takes up.
type place struct {
	p           *Plugin
	conn        net.Conn
	since       time.Time  // when it was let in
	key         netip.Addr // the payer; the zero address until a PROXY header is read
	proxyHeader *proxyHeader
	strict      strict
	lingeringClose
	left   atomic.Bool
	veiled bool
	spoken atomic.Uint32 // what was heard last: nothing, aQuestion or everything
}

const (
	nothing    uint32 = iota // nothing yet
	aQuestion                // the beginning of one
	everything               // a whole one, or what is none
)

// asks reports whether a question is about to come, so that a stop has to wait for it: one has begun, or the client connected so short a time ago that it has
// not got to it. Of a client that speaks TLS to this door only the latter is known.
func (l *place) asks() bool {
	spoken := l.spoken.Load()
	return spoken == aQuestion || spoken == nothing && time.Since(l.since) < lastCall
}

func (l *place) leave() {
	if !l.left.Swap(true) {
		l.p.traffic.forget(l)
		l.p.limiter.release(slotConnection, l.clientKey())
	}
}

// Close cuts the connection off, for the books. Whoever serves it closes it once more, and leaves.
func (l *place) Close() error { return l.conn.Close() }

func (l *place) clientKey() netip.Addr {
	if l.proxyHeader != nil {
		return l.proxyHeader.clientKey()
	}
	return l.key
}

// read reads from c what HTTP is made of. On a connection that became something else nobody calls it.
func (l *place) read(c net.Conn, b []byte) (int, error) {
	if l.lingeringClose.due() {
		return 0, io.EOF
	}
	if l.proxyHeader != nil {
		if _, err := l.proxyHeader.read(); err != nil {
			return 0, err
		}
	}
	n, err := l.strict.read(l.p, c, b)
	if !l.veiled {
		l.listened()
	}
	return n, l.p.traffic.heed(err)
}

// listened notes what was heard last.
func (l *place) listened() {
	heard := everything
	if l.strict.begun() {
		heard = aQuestion
	}
	if l.spoken.Load() != heard {
		l.spoken.Store(heard)
	}
}

// write writes to c.
func (l *place) write(c net.Conn, b []byte) (int, error) {
	n, err := c.Write(b)
	return n, l.p.traffic.heed(err)
}

// guestTCP is a connection that was let in. It stays a TCP connection to whom it matters: see book.
type guestTCP struct {
	*net.TCPConn
	place *place
}

// Read implements net.Conn.
func (g *guestTCP) Read(b []byte) (int, error) { return g.place.read(g.TCPConn, b) }

// Write implements net.Conn.
func (g *guestTCP) Write(b []byte) (int, error) { return g.place.write(g.TCPConn, b) }

// RemoteAddr implements net.Conn: it is the announced address, where there is one.
func (g *guestTCP) RemoteAddr() net.Addr { return g.place.remote(g.TCPConn) }

func (g *guestTCP) lingerOnClose() { g.place.lingerOnClose() }

// Close implements net.Conn.
func (g *guestTCP) Close() error {
	defer g.place.leave()
	g.place.linger(g.place.p.parting, g.TCPConn)
	return g.TCPConn.Close()
}

// guest is the same for any other kind of connection.
type guest struct {
	net.Conn
	place *place
}

// Read implements net.Conn.
func (g *guest) Read(b []byte) (int, error) { return g.place.read(g.Conn, b) }

// RemoteAddr implements net.Conn.
func (g *guest) RemoteAddr() net.Addr { return g.place.remote(g.Conn) }

func (g *guest) lingerOnClose() { g.place.lingerOnClose() }

// Close implements net.Conn.
func (g *guest) Close() error {
	defer g.place.leave()
	g.place.linger(g.place.p.parting, g.Conn)
	return g.Conn.Close()
}

// letInAt is when a listener of ours let a connection in; now, where it was none.
func letInAt(c net.Conn) time.Time {
	switch g := beneath(c).(type) {
	case *guestTCP:
		return g.place.since
	case *guest:
		return g.place.since
	}
	return time.Now()
}

func (l *place) remote(c net.Conn) net.Addr {
	if l.proxyHeader != nil {
		if a, err := l.proxyHeader.read(); err == nil && a != nil {
			return a
		}
	}
	return c.RemoteAddr()
}

// addressOf is the IP address of a connection's end; the zero address where it has none.
func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	ap, _ := netip.ParseAddrPort(a.String())
	return ap.Addr().Unmap()
}

var (
	_ net.Conn = (*guestTCP)(nil)
	_ net.Conn = (*guest)(nil)
)
