package intercept

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/elazarl/goproxy"
	"go.uber.org/zap"

	"autodiscover-guard/rules"
)

// front is what stands before goproxy: it sorts requests by the door they come to.
type front struct {
	p     *Plugin
	proxy *goproxy.ProxyHttpServer
}

// Front returns the handler that a client's requests go to, in proxy's place. It prepares proxy (call it once per proxy, before serving, after
// other plugins): Tr, ConnectDial, ConnectDialWithReq, KeepAcceptEncoding, KeepHeader, Verbose, Logger, ConnectionErrHandler and NonproxyHandler
// are set, the filters installed. Handlers of other plugins keep working on plain requests and on what is opened; CONNECT handlers are
// asked only about what is not; what one of them has goproxy open is served in goproxy's own loop, of which [Plugin.Install] says what it cannot promise.
//
// The http.Server in front of it should have [Plugin.ConnContext] in its ConnContext field, a ReadHeaderTimeout and a MaxHeaderBytes, and serve a
// [Plugin.Listener] or a [Plugin.SecureListener]: limits of connections, PROXY headers and requests that can be read in two ways are looked at there.
// The handler has to be that server's own: an http.ServeMux has no pattern that CONNECT matches, and where a ResponseWriter around net/http's hides Hijack
// (Unwrap shows it) tunnels are refused.
func (p *Plugin) Front(proxy *goproxy.ProxyHttpServer) http.Handler {
	p.mustBeMade()
	// Tr and ConnectDial of a new proxy follow HTTP_PROXY and HTTPS_PROXY (goproxy v1.9.4, proxy.go), which point at ourselves where we are
	// the system's proxy.
	proxy.Tr = p.transport
	proxy.ConnectDial = nil
	proxy.ConnectDialWithReq = nil
	proxy.KeepAcceptEncoding = true
	// With KeepHeader, goproxy forwards Proxy-Authorization; with Verbose it logs whole URLs.
	proxy.KeepHeader = false
	proxy.Verbose = false
	proxy.Logger = bridge{p.logger.Named("goproxy")}
	proxy.ConnectionErrHandler = p.tunnelFailed
	proxy.NonproxyHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		deny(w, http.StatusBadRequest, "this is a proxy; set it as one, or see its admin address for the page that says how")
	})
	p.Install(proxy)
	p.hall.open()
	f := &front{p, proxy}
	p.front.Store(f)
	return f
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if maySwitchProtocols(r) {
		w.Header().Set("Connection", "close")
	}
	if !f.p.enterOrDeny(w, bindingOf(r.Context()).began()) {
		return
	}
	defer f.p.traffic.leave()
	if !f.admit(w, r) {
		return
	}
	switch {
	case r.Method == http.MethodConnect:
		f.connect(w, r)
	case r.ProtoMajor == 2 && inTheClear(r):
		r.URL = clientURL(r, "http", r.Host)
		f.plain(w, r)
	case !r.URL.IsAbs():
		f.proxy.NonproxyHandler.ServeHTTP(w, r)
	case r.URL.Scheme != "http":
		// The client asked for privacy and would get none: over this connection its password travels in the clear.
		deny(w, http.StatusBadRequest, "only http URLs are asked for in this way; https needs a CONNECT tunnel")
	default:
		f.plain(w, r)
	}
}

// enterOrDeny counts a request as in flight and reports whether it did. While the guard stops, only requests of connections that were accepted before are served, and
// others answered 503; since is when this one's was accepted.
func (p *Plugin) enterOrDeny(w http.ResponseWriter, since time.Time) bool {
	if p.traffic.enter() {
		return true
	}
	w.Header().Set("Connection", "close")
	if p.traffic.enterLast(since) {
		return true
	}
	deny(w, http.StatusServiceUnavailable, "the guard is stopping")
	return false
}

// admit refuses whoever may not use the proxy.
func (f *front) admit(w http.ResponseWriter, r *http.Request) bool {
	if client := remoteAddress(r); !f.p.admits(client) {
		f.p.refused.clients.add(f.p, client, notAdmitted)
		w.Header().Set("Connection", "close")
		deny(w, http.StatusForbidden, notAdmitted)
		return false
	}
	return f.p.login == nil || f.loggedIn(w, r)
}

// plain serves an absolute-form request.
func (f *front) plain(w http.ResponseWriter, r *http.Request) {
	t, err := parseTarget(r.URL.Host, portHTTP)
	if err != nil || r.URL.User != nil {
		// RFC 9110, section 4.2.4: a user in an http URL is to be treated as an error.
		deny(w, http.StatusBadRequest, "the URL's authority is not a host and a port")
		return
	}
	r.URL = clientURL(r, "http", t.authority("http"))
	f.exchange(w, r, doorPlain)
}

// exchange serves a request from its plan to its record, by way of goproxy's plain path and so of our filters. The URL is absolute and names the host that is meant.
func (f *front) exchange(w http.ResponseWriter, r *http.Request, d door) {
	if !translatable(r) {
		deny(w, http.StatusBadRequest, "the method or the query has characters that it may not have")
		return
	}
	if tooManyFields(r.Header) {
		deny(w, http.StatusRequestHeaderFieldsTooLarge, "the request has too many header fields")
		return
	}
	if f.p.denyLoop(w, r) || answeredHere(w, r) {
		return
	}
	if r.ProtoMajor == 2 {
		client := remoteAddress(r)
		if status := f.p.acquire(slotRequest, client); status != 0 {
			denyOverLimit(w, slotRequest, status)
			return
		}
		defer f.p.limiter.release(slotRequest, clientKey(client))
	}
	x := f.p.newExchange(r, d)
	x.control = http.NewResponseController(w)
	rw := &responseWriter{inner: w, x: x, last: maySwitchProtocols(r)}
	defer func() {
		x.finish(rw.status, rw.bytes)
		x.releaseLongBody()
	}()
	defer func() { x.upload.end() }() // there is none yet
	defer f.rescue(rw)
	if r.ContentLength == 0 {
		r.Body = http.NoBody // net/http would probe a body of unknown length
	}
	r = x.prepare(r)
	x.startUpload(r)
	x.startTries(r)
	f.proxy.ServeHTTP(rw, x.attach(rw.withTrace(r)))
	rw.finish()
	if x.cut.Load() {
		panic(http.ErrAbortHandler)
	}
}

// rescue ends an exchange in which something panicked: with an answer where none was begun, else by breaking the connection, so that half an
// answer does not look whole.
func (f *front) rescue(rw *responseWriter) {
	v := recover()
	if v == nil {
		return
	}
	rw.finish()
	if v == http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http compares it
		rw.abortHTTP10()
		panic(v)
	}
	resp := rw.x.crashed(nil, v)
	if rw.wrote {
		rw.abortHTTP10()
		panic(http.ErrAbortHandler)
	}
	rw.answer(resp)
}

// connect serves a CONNECT request: into the hall, or through goproxy's tunnel.
func (f *front) connect(w http.ResponseWriter, r *http.Request) {
	if f.p.pastLifetime(bindingOf(r.Context())) { // an HTTP/2 connection takes no further tunnels then (h2_bundle.go: GOAWAY)
		w.Header().Set("Connection", "close")
	}
	t, err := parseTarget(r.URL.Host, 0)
	if err != nil || r.URL.User != nil || r.URL.Path != "" || r.URL.RawQuery != "" || r.URL.ForceQuery {
		deny(w, http.StatusBadRequest, "CONNECT needs a host and a port")
		return
	}
	if f.p.denyLoop(w, r) {
		return
	}
	client := remoteAddress(r)
	if f.p.quarantined(client, t) || f.p.quarantinedAt(client, t) {
		deny(w, http.StatusForbidden, "this host was just kept from this client, and so are its mail ports")
		return
	}
	policy := f.p.policy.Load()
	d, shunned := policy.Shun(t.host)
	if shunned && !f.shun(r, t, doorConnect, d) {
		deny(w, http.StatusForbidden, "this host is never dialled")
		return
	}
	release, status := f.p.acquireTunnel(client)
	if status != 0 {
		denyOverLimit(w, slotTunnel, status)
		return
	}
	if shunned || t.web() && policy.Opens(t.host) {
		f.open(w, r, &hallConn{target: t, door: connectDoor(t), shunned: shunned && t.port == portHTTPS, release: release})
		return
	}
	f.p.noteTunnel(r, t, doorConnect)
	far := &farSide{traffic: &f.p.traffic}
	if t.namesNoHost() {
		far.openWhenNamed(f, r, t, connectDoor(t))
	}
	f.tunnel(w, r, t, far, release)
}

func connectDoor(t target) door {
	if t.port == portHTTP {
		return doorConnectPlain
	}
	return doorConnect
}

// shun records that a tunnel is refused to a host that is never dialled, and reports whether it leads into the hall. Clients take a handshake
// that fails for a host that is not there, and go on quietly; a status of the proxy leaves some of them stuck (Geary 43). So the tunnel is
// shown into the hall, where no handshake for it succeeds, not even below a name that the authority signs for (autodiscover.test); plain HTTP
// gets its answer, and its record, there.
func (f *front) shun(r *http.Request, t target, d door, decision rules.Decision) bool {
	if t.port == portHTTP {
		return true
	}
	x := f.p.newExchange(r, d)
	x.url.Host = t.String()
	x.refuseTunnel(decision)
	return t.port == portHTTPS
}

// denyOverLimit answers a request for which there was no slot.
func denyOverLimit(w http.ResponseWriter, s slot, status int) {
	w.Header().Set("Retry-After", retryAfter)
	deny(w, status, overLimitText(s, status))
}

// tunnel has goproxy tunnel the connection.
func (f *front) tunnel(w http.ResponseWriter, r *http.Request, t target, far *farSide, release func()) {
	info := dialInfo{purpose: purposeTunnel, far: far}
	if !f.p.dialer.parents().none() {
		info.via = f.p.extendedVia(r)
	}
	// A client may have closed its half already: net/http takes that for its departure and cancels the dialling, which has a timeout anyway. And a context that
	// can be cancelled holds on to half a kilobyte for as long as the tunnel is idle.
	ctx := info.attach(context.WithoutCancel(r.Context()))
	tw := &tunnelWriter{ResponseWriter: w, traffic: &f.p.traffic, far: far, release: func() { far.close(); release() }}
	defer func() {
		if tw.conn == nil { // over HTTP/2, or it was never made
			tw.release()
		}
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http compares it
				panic(v)
			}
			f.p.recovered(v, zap.String(keyHost, t.host))
			switch {
			case tw.conn != nil:
				_ = tw.conn.Close()
			case tw.hasStarted():
				panic(http.ErrAbortHandler)
			default:
				deny(w, http.StatusBadGateway, "an internal error")
			}
		}
	}()
	asked := r
	r = r.WithContext(ctx)
	r.URL.Host, r.Host = t.String(), t.String()
	if _, ok := w.(http.Hijacker); ok {
		f.proxy.ServeHTTP(hijackable{tw}, r)
		return
	}
	tw.stream = newStreamTunnel(asked.Context(), asked.Body, far)
	s := cutOff{tw.stream}
	r.Body = tw.stream
	tw.stall = f.p.traffic.newStallTimer(f.p.limits.Stall, http.NewResponseController(w))
	f.p.traffic.addTunnel(s)
	far.untrack = func() { f.p.traffic.removeTunnel(s) }
	defer far.untrack()
	f.proxy.ServeHTTP(tw, r)
	if far.cut() {
		panic(http.ErrAbortHandler)
	}
}

// open takes the client's connection over and shows it into the hall.
func (f *front) open(w http.ResponseWriter, r *http.Request, hc *hallConn) {
	hc.front, hc.binding = f, newBinding()
	hc.expectRequest()
	if r.ProtoMajor == 2 {
		f.openStream(w, r, hc)
		return
	}
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		// Somebody's middleware hides the method. Tunnelling it unopened would let everything through.
		hc.release()
		hc.requestArrived() // never, and no stop waits for it
		deny(w, http.StatusNotImplemented, "this connection cannot be taken over")
		return
	}
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	hc.Conn, hc.early = c, append([]byte(nil), early...)
	if _, err := io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		_ = hc.Close()
		return
	}
	f.p.hall.serve(hc)
}

// tunnelFailed answers a CONNECT whose upstream could not be dialled. goproxy v1.9.4, https.go calls it once more when an established
// tunnel breaks; an error page would then be taken for what upstream said.
func (p *Plugin) tunnelFailed(w io.Writer, ctx *goproxy.ProxyCtx, err error) {
	if h2, ok := w.(interface{ ResponseWriter() http.ResponseWriter }); ok {
		if rw := h2.ResponseWriter(); !answerBegun(rw) {
			f := p.tunnelFailure(ctx, err)
			deny(rw, f.status, hostOf(ctx.Req.URL.Host)+" "+f.text+" ("+f.class+")")
		}
		return
	}
	if answerBegun(w) {
		return
	}
	f := p.tunnelFailure(ctx, err)
	text := page(hostOf(ctx.Req.URL.Host), f)
	_, _ = fmt.Fprintf(w, "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		statusLine(f.status), len(text), text)
}

func (p *Plugin) tunnelFailure(ctx *goproxy.ProxyCtx, err error) failure {
	f := failureOf(err)
	p.failures.add(f.class)
	if f.class == classPrivate {
		f.status = http.StatusForbidden // the tunnel is what is forbidden; no upstream has failed
	}
	p.logFailure(hostOf(ctx.Req.URL.Host), f)
	return f
}

func answerBegun(w any) bool {
	s, ok := w.(started)
	return ok && s.hasStarted()
}
