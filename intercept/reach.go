package intercept

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"
)

// reach makes all connections to the far side: for exchanges, bound ones included, and for tunnels; straight or through a parent proxy.
type reach struct {
	name     string // in Via
	config   *UpstreamConfig
	settings atomic.Pointer[upstreamSettings]
	// strangers dials what clients name, trusted what the operator names; neither dials ourselves.
	strangers, trusted *net.Dialer
}

func newReach(name string, u *UpstreamConfig, stall time.Duration, s *self, looped func(address string)) (*reach, error) {
	t, err := newUpstreamSettings(*u)
	if err != nil {
		return nil, err
	}
	r := &reach{
		name:      name,
		config:    u,
		strangers: &net.Dialer{Timeout: u.DialTimeout, ControlContext: s.checked(u.Private, looped).bounded(stall)},
		trusted:   &net.Dialer{Timeout: u.DialTimeout, ControlContext: s.checked(AllowPrivate(), looped).bounded(stall)},
	}
	r.settings.Store(t)
	return r, nil
}

// purpose is what a connection is for: the scheme of an exchange, or a tunnel. It decides which parent proxy is asked.
type purpose string

const purposeTunnel purpose = "tunnel"

// errand is what a connection is made for, and the Via that a parent proxy is told with it: that of the client's request, and our own entry. What
// is made for one exchange may serve others later, of other clients. That costs no loop: our entry is in every Via, a loop is found when
// the connection is made, and then there is none to share.
type errand struct {
	purpose purpose
	via     []string
	far     *farSide // of a tunnel
}

type errandKey struct{}

// send makes a context in which to dial for an errand.
func (e errand) send(ctx context.Context) context.Context {
	return context.WithValue(ctx, errandKey{}, e)
}

func errandOf(ctx context.Context) (e errand, ok bool) {
	e, ok = ctx.Value(errandKey{}).(errand)
	return e, ok
}

// purposed says what a request's connection is for, where it matters. The request has its Via already.
func (r *reach) purposed(req *http.Request) *http.Request {
	if r.parents().none() {
		return req
	}
	return req.WithContext(errand{purpose: purpose(req.URL.Scheme), via: req.Header["Via"]}.send(req.Context()))
}

// purposeOf is what was said, or what the port lets guess where another plugin uses our transport on its own account.
func purposeOf(ctx context.Context, addr string) purpose {
	if e, ok := errandOf(ctx); ok {
		return e.purpose
	}
	if t, err := parseTarget(addr, portHTTPS); err == nil && t.port == portHTTP {
		return "http"
	}
	return "https"
}

// dial is the DialContext of the transport, which goproxy uses for tunnels too (v1.9.4, https.go: dial).
func (r *reach) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	purpose := purposeOf(ctx, addr)
	if purpose == purposeTunnel {
		c, err := r.connect(ctx, network, addr, purpose)
		if err != nil {
			return nil, err
		}
		e, _ := errandOf(ctx)
		if e.far == nil {
			return c, nil
		}
		c = e.far.end(c)
		if !e.far.keep(c) {
			return nil, context.Canceled
		}
		return c, nil
	}
	// net/http, which proxyFor sent here; it is sent nowhere else for this address.
	if up := r.parents().at(addr); up != nil {
		return r.hop(ctx, up)
	}
	return r.connect(ctx, network, addr, purpose)
}

// dialShared is the same for the transport whose connections many exchanges share.
func (r *reach) dialShared(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := r.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	switch purposeOf(ctx, addr) {
	case purposeTunnel:
		return c, nil
	case "https":
		c = gather(c)
	}
	return &notifyingConn{Conn: c}, nil
}

// connect makes a connection to a host, where Resolve says or where it is, straight or by way of a parent proxy.
func (r *reach) connect(ctx context.Context, network, addr string, purpose purpose) (net.Conn, error) {
	if to, ok := r.config.named(addr); ok {
		return r.trusted.DialContext(ctx, network, to)
	}
	up := r.parents().choose(purpose, addr)
	if up == nil {
		return r.strangers.DialContext(ctx, network, addr)
	}
	return r.through(ctx, up, addr)
}

// place is the name or the address that connect would dial for a tunnel. It is false where a parent proxy is asked for it: that resolves names, and
// may know others.
func (r *reach) place(t target) (string, bool) {
	addr := t.String()
	if to, ok := r.config.named(addr); ok {
		return hostOf(to), true
	}
	return t.host, r.parents().choose(purposeTunnel, addr) == nil
}

// locate looks up a name's addresses as connect would.
func (r *reach) locate(ctx context.Context, name string) ([]netip.Addr, error) {
	return r.strangers.Resolver.LookupNetIP(ctx, "ip", name)
}

// proxyFor is the Proxy of the transport. It names a parent proxy only for plain HTTP, which HTTP proxies want in absolute form; through
// all others the connection is made in dial, with one time limit and one kind of error for exchanges and tunnels.
func (r *reach) proxyFor(req *http.Request) (*url.URL, error) {
	if r.parents().none() {
		return nil, nil
	}
	addr := fullAddress(req.URL)
	if r.parents().at(addr) != nil {
		// Otherwise dial could not tell the proxy that the operator named from a host that a client named.
		return nil, &parentError{failure{classPrivate, http.StatusBadGateway, "is the upstream proxy itself", ""}}
	}
	up := r.asked(req)
	if up == nil {
		return nil, nil
	}
	if err := r.literal(addr); err != nil {
		return nil, err
	}
	return up.forNetHTTP(), nil
}

// asked returns the HTTP proxy that answers a request for plain HTTP in the host's place, or nil.
func (r *reach) asked(req *http.Request) *parent {
	if r.parents().none() || req.URL.Scheme != "http" {
		return nil
	}
	addr := fullAddress(req.URL)
	if _, ok := r.config.named(addr); ok {
		return nil
	}
	if up := r.parents().choose("http", addr); up != nil && up.speaksHTTP() {
		return up
	}
	return nil
}

// fullAddress is a URL's host and port.
func fullAddress(u *url.URL) string {
	t, err := parseTarget(u.Host, defaultPort(u.Scheme))
	if err != nil {
		return u.Host
	}
	return t.String()
}

// literal refuses an address that a client names and that would be refused if we dialled it. A name is the parent proxy's to resolve, and
// where that leads is for the parent proxy to judge.
func (r *reach) literal(addr string) error {
	host := hostOf(addr)
	if endsInNumber(host) {
		return errPrivate
	}
	if net.ParseIP(host) == nil {
		return nil
	}
	return r.strangers.ControlContext(context.Background(), "tcp", addr, nil)
}
