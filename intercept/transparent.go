package intercept

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"go.uber.org/zap"
)

// ServeTransparent serves connections that the packet filter sends here although their clients mean somebody else: with REDIRECT to an
// ordinary listener, or with TPROXY to one of [ListenTPROXY]. It returns http.ErrServerClosed after the end of ctx, Close or Shutdown. Call
// [Plugin.Front] before.
//
// TLS to port 443 whose handshake names an opened host is opened; upstream is then that name, as we resolve it, and not the address that the
// client says is its. Plain HTTP to port 80 is served like absolute-form requests of the explicit door, for the hosts that its requests name; what nobody guards or opens goes to the original
// address all the same.
// Everything else is tunnelled to the original address with the same bytes: TLS that names another host or none (so do Encrypted Client
// Hellos), other protocols, other ports, and who asks a proxy of his own at port 80 for a tunnel (CONNECT) to a host that is not opened. So is a client that says nothing for three seconds, and what it says later on ports 443 and 80 is looked at in the
// same way. Tunnels are dialled like those of CONNECT, with Upstream's rules for private addresses, so that nobody reaches by the guard's own place in the
// network what he could not reach himself.
//
// Clients that may not use the proxy, or take too much, are closed on without a word: they do not know of any proxy.
func (p *Plugin) ServeTransparent(ctx context.Context, l net.Listener) error {
	f := p.front.Load()
	if f == nil {
		return errors.New("serving the transparent door: Plugin.Front was not called yet")
	}
	if p.original == nil {
		return errors.New("serving the transparent door: this system does not tell where a redirected connection was meant to go (Linux does); " +
			"set Config.OriginalDestination")
	}
	stop := func() { _ = l.Close() }
	defer context.AfterFunc(ctx, stop)()
	defer context.AfterFunc(p.stopping, stop)()
	defer stop()
	p.Listening(l.Addr())
	t := &transparent{f: f, listener: &gatekeeper{Listener: l, p: p, mute: true, boundEach: !p.boundStalls(l)}}
	var pause time.Duration
	for {
		c, err := t.listener.Accept()
		switch {
		case err == nil:
			pause = 0
			go t.serve(c)
		case ctx.Err() != nil, p.stopping.Err() != nil:
			return http.ErrServerClosed
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("serving the transparent door: %w", err)
		default:
			// Out of descriptors, or the client is gone: what runs goes on, and descriptors come back. net/http waits in the same way.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			wait(ctx, p.stopping, pause)
		}
	}
}

func wait(a, b context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-a.Done():
	case <-b.Done():
	}
}

// transparent is the door for connections whose clients know of no proxy.
type transparent struct {
	f        *front
	listener *gatekeeper
}

// redirected is a client's connection there.
type redirected struct {
	*clientTCP
}

// serve finds out where a connection was meant to go and what it is about to say.
func (t *transparent) serve(c net.Conn) {
	p := t.f.p
	given := false
	defer func() {
		if v := recover(); v != nil {
			p.recovered(v, zap.String(keyDoor, string(doorTransparent)))
		}
		if !given {
			_ = c.Close()
		}
	}()
	g, ok := c.(*clientTCP)
	if !ok || !p.traffic.enter() && !p.traffic.enterLast(g.state.accepted) {
		return
	}
	defer p.traffic.leave()
	g.state.noteProgress() // a stop waits for the visit now
	to, err := p.original(g.TCPConn)
	if err != nil {
		p.logger.Warn("original destination unknown", clientField(c), zap.Error(err))
		return
	}
	to = netip.AddrPortFrom(to.Addr().Unmap().WithZone(""), to.Port())
	if t.isOurselves(g, to) {
		p.refused.loops.Add(1)
		p.logger.Warn("loop refused", zap.String(keyHost, to.String()), clientField(c),
			zap.String(keyReason, "the connection was made to the transparent door itself, or redirected twice"))
		return
	}
	v := &visit{door: t, conn: g, to: target{host: to.Addr().String(), port: to.Port()}}
	given = v.receive()
}

// isOurselves reports whether a connection was meant for this very door, or another one of ours. Dialling that would come back here, and so on
// until no descriptor is left. Where nothing redirected the connection to our port, it was made to it, whatever addresses this computer has. With
// TPROXY that shows nothing: the addresses stay as they are, and the door may have one of the ports that are sent to it.
func (t *transparent) isOurselves(c *clientTCP, to netip.AddrPort) bool {
	own, ok := t.listener.Addr().(*net.TCPAddr)
	straight := ok && own.AddrPort().Port() == to.Port() && addressOf(c.LocalAddr()).WithZone("") == to.Addr()
	return straight && !fromTPROXY(c.TCPConn) || t.f.p.self.is(to)
}

// visit is one connection at the transparent door.
type visit struct {
	door *transparent
	conn *clientTCP
	to   target // the original destination: an address
	// named is the host that the client names; zero where it names none.
	named target
}

// receive looks at what the client says first and sends the connection into the hall or a tunnel accordingly. It reports whether somebody else closes it now.
func (v *visit) receive() bool {
	if v.door.f.p.quarantined(addressOf(v.conn.RemoteAddr()), v.to) {
		return false
	}
	switch v.to.port {
	case portHTTPS, 465, 993, 995: // of TLS the client speaks first, also on mail ports
		return v.receiveTLS()
	case portHTTP:
		return v.receiveHTTP()
	}
	return v.tunnelByAddress(nil)
}

// receiveTLS reads the host from a ClientHello.
func (v *visit) receiveTLS() bool {
	p := v.door.f.p
	name, heard, err := p.peekHello(v.conn)
	if err != nil {
		p.logger.Debug("handshake failed", zap.String(keyHost, v.to.String()), clientField(v.conn), zap.Error(err))
		return false
	}
	host, err := canonicalHost(name)
	if name == "" || err != nil {
		return v.tunnelByAddress(heard)
	}
	t := target{host: host, port: v.to.port}
	client := addressOf(v.conn.RemoteAddr())
	if p.quarantined(client, t) {
		return false
	}
	policy := p.policy.Load()
	d, shunned := policy.Shun(t.host)
	if shunned && !v.door.f.shun(v.request(t), t, doorTransparent, d) {
		return false
	}
	if !shunned && (t.port != portHTTPS || !policy.Opens(t.host)) {
		p.noteTunnel(v.request(t), t, doorTransparent)
		v.named = t
		return v.tunnel(heard)
	}
	return v.open(&hallConn{early: heard, target: t, door: doorTransparent, shunned: shunned})
}

// receiveHTTP looks whether a connection to port 80 begins like a request in HTTP/1.
func (v *visit) receiveHTTP() bool {
	heard, err := v.door.f.p.peekFirst(v.conn)
	if err != nil {
		return false
	}
	if !likeHTTP(heard) || v.door.f.asksAnotherProxy(heard, v.request(v.to)) {
		return v.tunnel(heard)
	}
	return v.open(&hallConn{early: heard, target: v.to, door: doorTransparentPlain, byHost: true})
}

// asksAnotherProxy reports whether a client has a proxy of its own at port 80 and begins with asking that for a tunnel, of a kind that would not be opened here either. asked is the tunnel to that
// proxy. What would be opened, or is shut to the client, is refused in the hall; so is an address, behind which may be either.
func (f *front) asksAnotherProxy(heard []byte, asked *http.Request) bool {
	rest, ok := bytes.CutPrefix(heard, []byte("CONNECT "))
	authority, _, whole := bytes.Cut(rest, []byte(" "))
	t, err := parseTarget(string(authority), 0)
	policy, client := f.p.policy.Load(), remoteAddress(asked)
	if !ok || !whole || err != nil || t.namesNoHost() || policy.Opens(t.host) || f.p.quarantined(client, t) || f.p.quarantinedAt(client, t) {
		return false
	}
	if _, shunned := policy.Shun(t.host); shunned {
		return false
	}
	f.p.noteTunnel(asked, t, doorTransparentPlain)
	return true
}

// open shows the connection into the hall.
func (v *visit) open(hc *hallConn) bool {
	release, status := v.door.f.p.acquireTunnel(addressOf(v.conn.RemoteAddr()))
	if status != 0 {
		return false
	}
	hc.Conn, hc.front, hc.binding, hc.release = v.conn, v.door.f, newBinding(), release
	hc.expectRequest()
	v.door.f.p.hall.serve(hc)
	return true // serve closes what it does not hand on
}

// tunnelByAddress tunnels a connection that names no host: whether its client was kept from there, the address tells. Where a name is said, that
// is what counts, since hosts share addresses.
func (v *visit) tunnelByAddress(heard []byte) bool {
	if v.door.f.p.quarantinedAt(addressOf(v.conn.RemoteAddr()), v.to) {
		return false
	}
	return v.tunnel(heard)
}

// tunnel has goproxy tunnel the connection to where it was meant to go, beginning with what was heard already. A client of the web that has said nothing yet
// may be waiting for its server, or have connected before it had anything to ask, as Chromium 156 does (preconnect): what it says when it does is listened to. So is one that has
// stopped in the middle of a method's name.
func (v *visit) tunnel(heard []byte) bool {
	release, status := v.door.f.p.acquireTunnel(addressOf(v.conn.RemoteAddr()))
	if status != 0 {
		return false
	}
	w := &silentWriter{conn: v.conn, heard: heard, header: make(http.Header)}
	r, far := v.request(v.to), &farSide{traffic: &v.door.f.p.traffic, named: v.named}
	if (len(heard) == 0 || v.to.port == portHTTP && methodLike(heard) && len(heard) <= longestMethod) && v.to.namesNoHost() {
		d := doorTransparent
		if v.to.port == portHTTP {
			d = doorTransparentPlain
		}
		far.openWhenNamed(v.door.f, r, v.to, d)
	}
	v.door.f.tunnel(w, r, v.to, far, release)
	return w.taken
}

// request is the CONNECT request that a client with a proxy would have sent.
func (v *visit) request(t target) *http.Request {
	return (&http.Request{
		Method: http.MethodConnect,
		URL:    &url.URL{Host: t.String()},
		Host:   t.String(),
		Header: make(http.Header),
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body:       http.NoBody,
		RemoteAddr: v.conn.RemoteAddr().String(),
	}).WithContext(context.Background())
}

// silentWriter gives goproxy a client's connection that never sent a CONNECT request and hears no answer to it.
type silentWriter struct {
	conn   *clientTCP
	heard  []byte
	header http.Header
	taken  bool
}

// Header implements http.ResponseWriter.
func (w *silentWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *silentWriter) WriteHeader(int) {}

// Write implements http.ResponseWriter.
func (w *silentWriter) Write(p []byte) (int, error) { return len(p), nil }

// Hijack implements http.Hijacker. goproxy v1.9.4, https.go replays what the reader has buffered.
func (w *silentWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.taken = true
	r := bufio.NewReaderSize(&replay{Conn: w.conn, early: w.heard}, max(len(w.heard), 16))
	if len(w.heard) > 0 {
		if _, err := r.Peek(len(w.heard)); err != nil {
			return nil, nil, err
		}
	}
	return &redirected{w.conn}, bufio.NewReadWriter(r, bufio.NewWriter(w.conn)), nil
}
