package intercept

import (
	"crypto/x509"
	"net/http"
)

// terms are what [Plugin.SwapUpstream] may change of the far side: whom we believe, and what we tell the proxies behind us.
type terms struct {
	roots       *x509.CertPool
	credentials Credentials
	parents     parents
}

func newTerms(u UpstreamConfig) (*terms, error) {
	parents, err := readParents(&u)
	return &terms{u.Roots, u.ProxyCredentials, parents}, err
}

// same reports whether others would change nothing.
func (t *terms) same(roots *x509.CertPool, c Credentials) bool {
	return t.credentials == c && t.roots.Equal(roots)
}

// parents are the proxies behind us, with what they are told now.
func (r *reach) parents() *parents { return &r.terms.Load().parents }

// transports are where all upstream connections but the bound ones come from. An http.Transport cannot be told of other roots once it is in use, so
// for those there are others.
type transports struct {
	shared *http.Transport // speaks HTTP/2 where upstream offers it
	older  *http.Transport // speaks HTTP/1.1
}

func newTransports(r *reach) *transports {
	t := &transports{shared: r.shaking(newTransport(r))}
	t.older = r.shaking(withoutHTTP2(t.shared))
	t.older.DialContext = r.dialAlone // what passes through shares its connection with nobody
	return t
}

// closeIdle closes connections that nobody uses now, and those in use as soon as nobody does.
func (t *transports) closeIdle() {
	t.shared.CloseIdleConnections()
	t.older.CloseIdleConnections()
}

// SwapUpstream puts other Roots and ProxyCredentials of [UpstreamConfig] in force, for connections that are made from now on; what is the same as before
// costs nothing. Nil roots are the system's, and zero Credentials none. Exchanges that have begun keep their connections, and so do clients that have logged in over one (NTLM, Negotiate). After an error
// everything is as before.
func (p *Plugin) SwapUpstream(roots *x509.CertPool, c Credentials) error {
	p.swapping.Lock()
	defer p.swapping.Unlock()
	if p.reach.terms.Load().same(roots, c) {
		return nil
	}
	u := p.upstream
	u.Roots, u.ProxyCredentials = roots, c
	t, err := newTerms(u)
	if err != nil {
		return err
	}
	p.reach.terms.Store(t)
	p.ours.Swap(newTransports(p.reach)).closeIdle()
	return nil
}
