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

// dialer makes all connections to the far side: for exchanges, bound ones included, and for tunnels; straight or through a parent proxy.
type dialer struct {
	viaName  string // in Via
	config   *UpstreamConfig
	settings atomic.Pointer[upstreamSettings]
	// untrusted dials what clients name, trusted what the operator names; neither dials ourselves.
	untrusted, trusted *net.Dialer
	// protocolErrors counts the streams of uploads that servers have ended with PROTOCOL_ERROR.
	protocolErrors atomic.Int64
}

func newDialer(name string, u *UpstreamConfig, stall time.Duration, s *self, looped func(address string)) (*dialer, error) {
	t, err := newUpstreamSettings(*u)
	if err != nil {
		return nil, err
	}
	d := &dialer{
		viaName:   name,
		config:    u,
		untrusted: &net.Dialer{Timeout: u.DialTimeout, ControlContext: s.checked(u.Private, looped).bounded(stall)},
		trusted:   &net.Dialer{Timeout: u.DialTimeout, ControlContext: s.checked(AllowPrivate(), looped).bounded(stall)},
	}
	d.settings.Store(t)
	return d, nil
}

// purpose is what a connection is for: the scheme of an exchange, or a tunnel. It decides which parent proxy is asked.
type purpose string

const purposeTunnel purpose = "tunnel"

// dialInfo is what a connection is made for, and the Via that a parent proxy is told with it: that of the client's request, and our own entry. What
// is made for one exchange may serve others later, of other clients. That costs no loop: our entry is in every Via, a loop is found when
// the connection is made, and then there is none to share.
type dialInfo struct {
	purpose purpose
	via     []string
	far     *farSide // of a tunnel
}

type dialInfoKey struct{}

// attach returns a context for dialling that carries i.
func (i dialInfo) attach(ctx context.Context) context.Context {
	return context.WithValue(ctx, dialInfoKey{}, i)
}

func dialInfoOf(ctx context.Context) (i dialInfo, ok bool) {
	i, ok = ctx.Value(dialInfoKey{}).(dialInfo)
	return i, ok
}

// withPurpose returns the request with a dialInfo in its context, where there is a parent proxy to be chosen. The request has its Via already.
func (d *dialer) withPurpose(req *http.Request) *http.Request {
	if d.parents().none() {
		return req
	}
	return req.WithContext(dialInfo{purpose: purpose(req.URL.Scheme), via: req.Header["Via"]}.attach(req.Context()))
}

// purposeOf is the purpose in the context's dialInfo, or what the port lets guess where another plugin uses our transport on its own account.
func purposeOf(ctx context.Context, addr string) purpose {
	if i, ok := dialInfoOf(ctx); ok {
		return i.purpose
	}
	if t, err := parseTarget(addr, portHTTPS); err == nil && t.port == portHTTP {
		return "http"
	}
	return "https"
}

// dial is the DialContext of the transport, which goproxy uses for tunnels too (v1.9.4, https.go: dial).
func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	purpose := purposeOf(ctx, addr)
	if purpose == purposeTunnel {
		c, err := d.connect(ctx, network, addr, purpose)
		i, _ := dialInfoOf(ctx)
		if i.far != nil && i.far.named.port != 0 && unreached(ctx, err) {
			if other, failed := d.connect(ctx, network, i.far.named.String(), purpose); failed == nil {
				c, err = other, nil
			}
		}
		if err != nil || i.far == nil {
			return c, err
		}
		c = i.far.wrap(c)
		if !i.far.keep(c) {
			return nil, context.Canceled
		}
		return c, nil
	}
	// net/http, which proxyFor sent here; it is sent nowhere else for this address.
	if up := d.parents().at(addr); up != nil {
		return d.dialParent(ctx, up)
	}
	return d.connect(ctx, network, addr, purpose)
}

// dialShared is the same for the transport whose connections many exchanges share.
func (d *dialer) dialShared(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := mayDial(ctx); err != nil {
		return nil, err
	}
	c, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	to := purposeOf(ctx, addr)
	if to == purposeTunnel {
		return c, nil
	}
	if c = awaited(c); to == "https" {
		c = coalesce(c)
	}
	return &notifyingConn{Conn: c}, nil
}

// connect makes a connection to a host, where Resolve says or where it is, straight or by way of a parent proxy.
func (d *dialer) connect(ctx context.Context, network, addr string, purpose purpose) (net.Conn, error) {
	if to, ok := d.config.override(addr); ok {
		return d.trusted.DialContext(ctx, network, to)
	}
	up := d.parents().choose(purpose, addr)
	if up == nil {
		return d.untrusted.DialContext(ctx, network, addr)
	}
	return d.dialThrough(ctx, up, addr)
}

// dialName is the name or the address that connect would dial for a tunnel. ok is false where a parent proxy would be asked: that resolves names, and may
// know others.
func (d *dialer) dialName(t target) (name string, ok bool) {
	addr := t.String()
	if to, ok := d.config.override(addr); ok {
		return hostOf(to), true
	}
	return t.host, d.parents().choose(purposeTunnel, addr) == nil
}

// lookUp looks up a name's addresses as connect would.
func (d *dialer) lookUp(ctx context.Context, name string) ([]netip.Addr, error) {
	return d.untrusted.Resolver.LookupNetIP(ctx, "ip", name)
}

// proxyFor is the Proxy of the transport. It names a parent proxy only for plain HTTP, which HTTP proxies want in absolute form; through
// all others the connection is made in dial, with one time limit and one kind of error for exchanges and tunnels.
func (d *dialer) proxyFor(req *http.Request) (*url.URL, error) {
	if d.parents().none() {
		return nil, nil
	}
	addr := fullAddress(req.URL)
	if d.parents().at(addr) != nil {
		// Otherwise dial could not tell the proxy that the operator named from a host that a client named.
		return nil, &parentError{failure{classPrivate, http.StatusBadGateway, "is the upstream proxy itself", ""}}
	}
	up := d.httpParent(req)
	if up == nil {
		return nil, nil
	}
	if err := d.checkLiteral(addr); err != nil {
		return nil, err
	}
	return up.proxyURL(), nil
}

// httpParent returns the parent proxy that a request for plain HTTP is sent to in absolute form, or nil.
func (d *dialer) httpParent(req *http.Request) *parent {
	if d.parents().none() || req.URL.Scheme != "http" {
		return nil
	}
	addr := fullAddress(req.URL)
	if _, ok := d.config.override(addr); ok {
		return nil
	}
	if up := d.parents().choose("http", addr); up != nil && up.speaksHTTP() {
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

// checkLiteral refuses an address that a client names and that would be refused if we dialled it. A name is the parent proxy's to resolve, and
// where that leads is for the parent proxy to judge.
func (d *dialer) checkLiteral(addr string) error {
	host := hostOf(addr)
	if endsInNumber(host) {
		return errPrivate
	}
	if net.ParseIP(host) == nil {
		return nil
	}
	return d.untrusted.ControlContext(context.Background(), "tcp", addr, nil)
}

// dialAlone is dial for the transport whose connections are shared by nobody at the same time.
func (d *dialer) dialAlone(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := d.dial(ctx, network, addr)
	if err != nil || purposeOf(ctx, addr) == purposeTunnel {
		return c, err
	}
	return &notifyingConn{Conn: awaited(c)}, nil
}
