package intercept

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// hall is where all opened connections are served: by net/http, HTTP/1 and HTTP/2, inside TLS or not. goproxy's own loop
// (v1.9.4, https.go) has no recover, no limits, no timeouts and no way to drain; net/http has all of them.
type hall struct {
	p *Plugin
	// h1 is for HTTP/1, h2 for HTTP/2, because their connections are ended in different ways; see drain.
	h1, h2 hallServer
	config *tls.Config
	// refusing ends a handshake with unrecognized_name: crypto/tls sends that alert when it has no certificate at all.
	refusing *tls.Config
	once     sync.Once
}

// hallServer is one of the hall's two servers, and the listener by which it gets connections.
type hallServer struct {
	server   *http.Server
	listener *handoff
}

func (r *hallServer) open(p *Plugin) {
	go func() {
		if err := r.server.Serve(r.listener); !errors.Is(err, http.ErrServerClosed) {
			p.logger.Error("hall closed", zap.Error(err))
		}
	}()
}

func (r *hallServer) close() error {
	err := r.server.Close()
	_ = r.listener.Close()
	return err
}

func newHall(p *Plugin) *hall {
	h := &hall{
		p:        p,
		refusing: &tls.Config{MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true},
	}
	// One config for all, because the keys of session tickets live in it.
	h.config = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"h2", "http/1.1", "http/1.0"}, // curl -0 offers the last alone
		GetConfigForClient: h.configForClient,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if c, ok := hello.Conn.(*hallConn); ok {
				return c.leaf, nil
			}
			return nil, errNotOpened
		},
	}
	h.h1, h.h2 = h.newHallServer(), h.newHallServer()
	return h
}

func (h *hall) newHallServer() hallServer {
	return hallServer{server: h.newServer(), listener: &handoff{conns: make(chan net.Conn), done: make(chan struct{})}}
}

func (h *hall) newServer() *http.Server {
	p := h.p
	return &http.Server{
		Handler:                      h,
		TLSConfig:                    h.config.Clone(), // the server writes to its own
		ReadHeaderTimeout:            p.limits.Header,
		IdleTimeout:                  p.limits.Idle,
		MaxHeaderBytes:               p.limits.HeaderBytes,
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is upstream's to answer
		ErrorLog:                     StandardLog(p.logger.Named("hall")),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if hc, ok := hallConnOf(c); ok {
				ctx = context.WithValue(ctx, hallKey{}, hc)
				a := &attached{binding: hc.binding}
				a.conn, _ = c.(lingerer)
				ctx = context.WithValue(ctx, bindingKey{}, a)
			}
			return ctx
		},
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:      mostStreams,
			MaxReceiveBufferPerStream: uploadAhead,
			SendPingTimeout:           pingAfter,
			PingTimeout:               p.limits.Stall,        // a slow client answers behind all that it has yet to take
			WriteByteTimeout:          twice(p.limits.Stall), // the kernel is first, where it can be: see boundStall
		},
	}
}

// mostStreams is how many requests a connection that speaks HTTP/2 may have under way in the hall.
const mostStreams = 100

// pingAfter is for how long a client that speaks HTTP/2 may say nothing before it is asked whether it is still there.
const pingAfter = time.Minute

type hallKey struct{}

var errNotOpened = errors.New("the connection did not come through a door")

// open starts what the hall needs, once.
func (h *hall) open() {
	h.once.Do(func() {
		go h.p.traffic.retire(h.p.ending, h.p.limits.Lifetime, h.p.retired)
		h.h1.open(h.p)
		h.h2.open(h.p)
	})
}

// drain ends connections: idle ones now, others behind their next answer. A connection that is still on its way in is served once. A server of net/http
// that is shut down drops what comes by HTTP/1 without an answer (server.go: shuttingDown, in conn.serve), but nothing else sends HTTP/2's GOAWAY to
// connections that lie idle; so the one for HTTP/2 is, and the one for HTTP/1 takes connections of HTTP/2 that come late. It waits for allArrived: a client
// that is told to go before it has asked takes that for an error (curl 7.88).
func (h *hall) drain(ctx context.Context, allArrived <-chan struct{}) error {
	h.h1.server.SetKeepAlivesEnabled(false)
	select {
	case <-allArrived:
	case <-h.p.graceOver.Done():
	case <-ctx.Done():
	}
	return h.h2.server.Shutdown(ctx)
}

// wait waits for the last answers to be sent: handlers return before they are.
func (h *hall) wait(ctx context.Context) error { return h.h1.server.Shutdown(ctx) }

func (h *hall) close() error { return errors.Join(h.h1.close(), h.h2.close()) }

// retired counts and logs what was closed because it had lived too long.
func (p *Plugin) retired(tunnels, conns int) {
	p.refused.retired.Add(int64(tunnels + conns))
	if tunnels > 0 {
		p.logger.Info("tunnels closed", zap.Int("count", tunnels), zap.String(keyReason, "they have lived for limits.lifetime"))
	}
	if conns > 0 {
		p.logger.Info("connections closed", zap.Int("count", conns), zap.String(keyReason, "they have lived for twice limits.lifetime"))
	}
}

// configForClient is asked in every handshake, resumed ones too. What the client means to reach must be what the tunnel leads to, and the
// issuer must be willing to sign for it.
func (h *hall) configForClient(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	c, ok := hello.Conn.(*hallConn)
	if !ok {
		return nil, errNotOpened
	}
	c.hello = newClientHello(hello)
	if hello.ServerName != "" && !c.target.is(hello.ServerName) {
		return h.refuseHandshake(c, "the name in the handshake is not the tunnel's target", nil), nil
	}
	if c.shunned {
		return h.refuseHandshake(c, "the host is never dialled", nil), nil
	}
	if c.leaf != nil { // a self check brings its own
		return nil, nil
	}
	leaf, err := h.p.issuer.Leaf(c.target.host)
	if leaf == nil || err != nil {
		return h.refuseHandshake(c, "the authority does not sign for the host", err), nil
	}
	c.leaf = leaf
	return nil, nil
}

// refuseHandshake logs why a handshake is refused and returns the configuration that refuses it: an error from GetConfigForClient would make
// crypto/tls send internal_error.
func (h *hall) refuseHandshake(c *hallConn, reason string, err error) *tls.Config {
	c.refused, c.hello.refusal = true, reason
	h.p.logger.Warn("handshake refused", zap.String(keyHost, c.target.host), clientField(c),
		zap.String(keyReason, reason), zap.Bool(keyRecorded, !c.shunned), zap.Error(err))
	return h.refusing
}

// serve makes the handshake with a connection and hands it to the server for its protocol. It runs in the goroutine of the CONNECT request, which ends with
// it, so that a failed handshake can be logged with the name of the host: net/http knows only the address.
func (h *hall) serve(c *hallConn) {
	given := false
	defer func() {
		if v := recover(); v != nil {
			h.p.recovered(v, zap.String(keyHost, c.target.host))
		}
		if !given {
			_ = c.Close()
		}
	}()
	if c.scheme() == "http" {
		given = h.h1.listener.handOff(newStrictConn(c, c))
		return
	}
	c.inHandshake = true
	growStack(0)
	t := tls.Server(c, h.config)
	ctx, cancel := context.WithTimeout(h.p.graceOver, h.p.limits.Handshake)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		h.handshakeFailed(c, c.explain(err))
		return
	}
	c.inHandshake = false
	if !c.selfCheck {
		h.p.handshakes.add(handshakeDone)
	}
	if t.ConnectionState().NegotiatedProtocol == "h2" {
		given = h.h2.listener.handOff(t) || h.h1.listener.handOff(t)
		return
	}
	given = h.h1.listener.handOff(newStrictConn(t, c))
}

// ServeHTTP implements http.Handler: a request in the hall is for the tunnel's target and for nobody else, whatever it says. goproxy v1.9.4,
// https.go would let the Host field choose the upstream.
func (h *hall) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	growStack(0)
	if maySwitchProtocols(r) {
		w.Header().Set("Connection", "close")
	}
	c, ok := r.Context().Value(hallKey{}).(*hallConn)
	if !ok {
		deny(w, http.StatusBadRequest, "the connection did not come through a door")
		return
	}
	if !h.p.enterOrDeny(w, time.Time{}) {
		return
	}
	defer h.p.traffic.leave()
	c.requestArrived()
	scheme := c.scheme()
	t, err := c.targetOf(r)
	if err != nil {
		deny(w, http.StatusBadRequest, "the Host is not a host and a port")
		return
	}
	if status, text := misdirected(r, t, scheme); status != 0 {
		deny(w, status, text)
		return
	}
	r.URL = clientURL(r, scheme, t.authority(scheme))
	c.front.exchange(w, r, c.door)
}

// misdirected checks that the request is meant for the tunnel's target; 421 tells a client to open a connection for the other host
// (RFC 9110, section 15.5.20).
func misdirected(r *http.Request, t target, scheme string) (status int, text string) {
	if r.Method == http.MethodConnect {
		return http.StatusMethodNotAllowed, "a tunnel inside the tunnel is not offered"
	}
	if r.URL.User != nil || r.URL.Opaque != "" {
		return http.StatusBadRequest, "the request names a user"
	}
	if r.URL.Scheme != "" && r.URL.Scheme != scheme {
		return http.StatusBadRequest, "the URL's scheme is not the tunnel's"
	}
	for _, authority := range [...]string{r.URL.Host, r.Host} {
		if authority == "" {
			continue
		}
		if status, text = checkAuthority(authority, t, scheme); status != 0 {
			return status, text
		}
	}
	for _, authority := range r.Header["Host"] { // of HTTP/2, beside :authority
		if status, text = checkAuthority(authority, t, scheme); status != 0 {
			return status, text
		}
	}
	return 0, ""
}

// checkAuthority returns the status and the text with which an authority is refused that is not the tunnel's; 0 where it is.
func checkAuthority(authority string, t target, scheme string) (status int, text string) {
	named, err := parseTarget(strings.TrimSuffix(authority, ":"), defaultPort(scheme))
	switch {
	case err != nil:
		return http.StatusBadRequest, "the Host is not a host and a port"
	case named != t:
		return http.StatusMisdirectedRequest, "the tunnel leads to another host"
	}
	return 0, ""
}

// handoff is the listener by which a hallServer gets the connections that serve has ready.
type handoff struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *handoff) handOff(c net.Conn) bool {
	select {
	case l.conns <- c:
		return true
	case <-l.done:
		return false
	}
}

// Accept implements net.Listener.
func (l *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *handoff) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *handoff) Addr() net.Addr { return hallAddr{} }

type hallAddr struct{}

// Network implements net.Addr.
func (hallAddr) Network() string { return "hall" }

// String implements net.Addr.
func (hallAddr) String() string { return "hall" }
