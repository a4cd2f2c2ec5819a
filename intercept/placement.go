package intercept

import (
	"net/http"

	"github.com/elazarl/goproxy"

	"autodiscover-guard/rules"
)

// placement is an exchange in the place of a proxy's transport. There is a second one where the filters are in the proxy twice and another plugin has put its transport in between: that may lead to the
// first, and the first must not lead back to it.
type placement struct {
	x    *exchange
	next goproxy.RoundTripper // another plugin's, over which upstream is asked; nil where that is for us
}

// route is by what upstream is asked.
type route struct {
	next goproxy.RoundTripper // nil for our own transport
	ctx  *goproxy.ProxyCtx
}

// place puts the exchange before the transport that was there.
func (x *exchange) place(next goproxy.RoundTripper) *placement {
	if x.first.x == nil { // which costs no room of its own
		x.first = placement{x, next}
		return &x.first
	}
	return &placement{x, next}
}

// RoundTrip implements goproxy.RoundTripper: it asks upstream and decides on the answer, so that goproxy sees one final body. A body that is
// exchanged later costs the answer its Content-Length (goproxy v1.9.4, http.go and https.go compare the bodies' identity). It returns
// no error: goproxy would close the connection without a byte (https.go) or show Go's error text (http.go).
func (p *placement) RoundTrip(req *http.Request, ctx *goproxy.ProxyCtx) (resp *http.Response, err error) {
	x, by := p.x, route{p.next, ctx}
	defer func() {
		if v := recover(); v != nil {
			resp, err = x.crashed(req, v), nil
		}
	}()
	if x.moved(req) {
		if x.plan.Guarded {
			return x.unanswered(req, reasonMoved, failure{}), nil
		}
		x.url = *req.URL
		x.method = req.Method
		req = x.prepare(req) // whom it is about may stand in the body, which nobody has read for the question that it was
	}
	switch x.plan.Step {
	case rules.Ignore:
		return x.forward(req, by), nil
	case rules.Watch:
		return x.watch(req, by), nil
	case rules.Forward, rules.Scrub:
		return x.ask(req, by), nil
	default:
		return x.refuse(req), nil
	}
}
