package intercept

import (
	"context"
	"errors"
	"net"
	"net/http"

	"autodiscover-guard/rules"
)

// At the transparent door a client has looked its host up by itself, in a hosts file or a name server that we do not know, perhaps. What is not opened goes to the address that it found there: in
// tunnels, and in plain HTTP. Connections are kept by that address, so that nobody who lies about a host's address gets others' requests for it. Where the address cannot be reached, the
// host is asked as we resolve it: the client has a connection, and tries no other address of the host any more (RFC 8305). See decision 58.

// original is a request that goes to the address that the client meant, under the name that it asks for. ok is false where it goes where we find that name: there is no such address, somebody
// is guarded, the host is opened, or the operator has said where it is, or who is to be asked.
func (x *exchange) original(req *http.Request) (to *http.Request, ok bool) {
	if x.meant.port == 0 || x.plan.Guarded || x.plan.Step != rules.Ignore && x.plan.Step != rules.Forward || req.URL.Host != x.url.Host || x.policy.Opens(x.url.Hostname()) {
		return nil, false
	}
	if named := fullAddress(req.URL); named == x.meant.String() || x.p.dialer.leads(named, x.meant.String()) {
		return nil, false
	}
	u := *req.URL
	u.Host = x.meant.authority(u.Scheme)
	to = new(http.Request)
	*to = *req
	to.URL = &u
	if to.Host == "" {
		to.Host = req.URL.Host
	}
	return to, true
}

// leads reports whether the operator says where plain HTTP for a host goes, or by which proxy it or that for its address does.
func (d *dialer) leads(named, meant string) bool {
	_, resolved := d.config.override(named)
	return resolved || d.parents().choose("http", named) != nil || d.parents().choose("http", meant) != nil
}

// unreached reports whether a connection could not be made to an address, so that another one may do.
func unreached(ctx context.Context, err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" && ctx.Err() == nil && !errors.Is(err, errLoop)
}

// roundTripOriginal asks at the address that the client meant, and under the name where nobody is reached there.
func (x *exchange) roundTripOriginal(t *http.Transport, to, named *http.Request) (*http.Response, error) {
	resp, err := t.RoundTrip(to)
	if !unreached(to.Context(), err) {
		return resp, err
	}
	again, ok := repeated(named)
	if !ok {
		return nil, err
	}
	resp, failed := t.RoundTrip(again)
	if _, unknown := errors.AsType[*net.DNSError](failed); unknown {
		return nil, err
	}
	return resp, failed
}
