package intercept

import (
	"crypto/x509"
	"net/http"
)

// upstreamSettings are what [Plugin.PrepareUpstream] may change of the far side: whom we believe, and what we tell the proxies behind us.
type upstreamSettings struct {
	roots       *x509.CertPool
	credentials Credentials
	parents     parents
}

func newUpstreamSettings(u UpstreamConfig) (*upstreamSettings, error) {
	parents, err := readParents(&u)
	return &upstreamSettings{u.Roots, u.ProxyCredentials, parents}, err
}

// same reports whether others would change nothing.
func (t *upstreamSettings) same(others *upstreamSettings) bool {
	return t.credentials == others.credentials && t.roots.Equal(others.roots)
}

// parents are the proxies behind us, with what they are told now.
func (d *dialer) parents() *parents { return &d.settings.Load().parents }

// transports are where all upstream connections but the bound ones come from. An http.Transport cannot be told of other roots once it is in use, so
// for those there are others.
type transports struct {
	shared  *http.Transport // speaks HTTP/2 where upstream offers it
	uploads *http.Transport // the same, for bodies that stream through: see newTransports
	http11  *http.Transport // speaks HTTP/1.1
}

// Uploads have connections of their own, because to many servers (those that are written in Go, for example) one stream's body may take all the room of its HTTP/2 connection. A client whose
// upload nobody takes would keep all others' questions from being asked.
func newTransports(d *dialer) *transports {
	t := &transports{shared: d.makingHandshakes(newTransport(d)), uploads: d.makingHandshakes(d.countingResets(newTransport(d)))}
	t.http11 = d.makingHandshakes(withoutHTTP2(t.shared))
	t.http11.DialContext = d.dialAlone // what passes through shares its connection with nobody
	return t
}

// closeIdle closes connections that nobody uses now, and those in use as soon as nobody does.
func (t *transports) closeIdle() {
	t.shared.CloseIdleConnections()
	t.uploads.CloseIdleConnections()
	t.http11.CloseIdleConnections()
}

// PrepareUpstream makes other Roots and ProxyCredentials of [UpstreamConfig] ready, and changes nothing yet: so whoever has more to change can first ask of
// everything whether it can be. swap, which cannot fail, puts them in force for connections that are made from then on; what is the same as before costs nothing.
// Nil roots are the system's, and zero Credentials none. Exchanges that have begun keep their connections, and so do clients that have logged in over one (NTLM, Negotiate).
func (p *Plugin) PrepareUpstream(roots *x509.CertPool, c Credentials) (swap func(), err error) {
	u := p.upstream
	u.Roots, u.ProxyCredentials = roots, c
	t, err := newUpstreamSettings(u)
	if err != nil {
		return nil, err
	}
	return func() { p.swapUpstream(t) }, nil
}

func (p *Plugin) swapUpstream(t *upstreamSettings) {
	p.swapping.Lock()
	defer p.swapping.Unlock()
	if p.dialer.settings.Load().same(t) {
		return
	}
	p.dialer.settings.Store(t)
	p.transports.Swap(newTransports(p.dialer)).closeIdle()
}
