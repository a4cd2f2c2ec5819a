package intercept

import (
	"net/http"

	"github.com/elazarl/goproxy"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// watch sends on what does not look like discovery but is about somebody guarded, and looks at what comes back: at its first bytes, and only
// where those could begin a discovery document at the whole of it. Everything else streams.
func (x *exchange) watch(req *http.Request, ctx *goproxy.ProxyCtx) *http.Response {
	resp, err := x.sendOn(req, ctx)
	if err != nil {
		return x.unanswered(req, reasonFailed, x.failed(err))
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return x.approve(x.passOn(resp, nil))
	}
	head, more, err := readBounded(resp.Body, -1, dialect.SniffLength)
	if err != nil || !dialect.Sniffable(dialect.Header(resp.Header), head) {
		return x.approve(x.passOn(x.rest(resp, head, err), nil))
	}
	if more {
		var tail []byte
		if tail, more, err = readBounded(resp.Body, resp.ContentLength, x.p.limits.BodyBytes); len(tail) > 0 {
			head = append(head, tail...)
		}
	}
	if err != nil || more {
		return x.approve(x.passOn(x.rest(resp, head, err), nil))
	}
	return x.sniffed(resp, head)
}

// rest gives a response the body back of which head was read; err is how the reading ended.
func (x *exchange) rest(resp *http.Response, head []byte, err error) *http.Response {
	if err != nil {
		_ = resp.Body.Close()
		resp.Body = rejoin(head, broken{err})
		return resp
	}
	resp.Body = rejoin(head, resp.Body)
	return resp
}

// sniffed lets the policy look at a whole answer. If it is discovery the exchange is, from here on, like one that was recognised at once.
func (x *exchange) sniffed(resp *http.Response, body []byte) *http.Response {
	plan, decision, ok := x.policy.Sniff(x.plan, dialect.Answer{Status: resp.StatusCode, Header: dialect.Header(resp.Header), Body: body})
	_ = resp.Body.Close()
	resp.Body = hold(body)
	if !ok {
		return x.approve(resp)
	}
	x.plan, x.decision, x.in = plan, decision, int64(len(body))
	if decision.Action != rules.ActionPass {
		return x.approve(x.compose(resp.Request, decision.Answer))
	}
	return x.approve(resp)
}
