package intercept

import (
	"net/http"
	"net/url"

	"github.com/elazarl/goproxy"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// Install puts the request and response filters into a proxy that somebody else owns. Call it before the proxy serves (goproxy's handler
// lists are not locked) and after every other plugin: the first request handler that answers hides the later ones, and the last response
// handler has the final word.
//
// It cannot promise what only [Plugin.Front] can. Discovery is seen only where the proxy itself opens the tunnel (goproxy's own MITM), and
// there, with goproxy v1.9.4 (https.go):
//   - a panic in a handler that is not ours, or a nil response from one, ends the process;
//   - there are no limits on headers, handshakes and idle connections, and no drain at a stop;
//   - a client that goes away does not cancel what upstream was asked, and an answer that upstream cut short may look whole;
//   - the Host field inside the tunnel chooses the upstream, whatever the tunnel was opened for: such a request is judged by where it
//     would go;
//   - leaf keys are whatever the proxy's owner signs with, and upstream is verified as the proxy's Tr says;
//   - NTLM and Negotiate get an upstream connection for one request, and no client can finish such a log-in;
//   - [Plugin.Shutdown] and [Plugin.Close] end nothing there, and the filters go on deciding.
//
// Exchanges are recorded in the response filter; one whose client is gone before that is recorded when upstream has answered.
func (p *Plugin) Install(proxy *goproxy.ProxyHttpServer) {
	p.mustBeMade()
	proxy.OnRequest().DoFunc(p.onRequest)
	proxy.OnResponse().DoFunc(p.onResponse)
}

// mustBeMade panics where New has not made the plugin: at the first request it would do so in the middle of somebody else's proxy.
func (p *Plugin) mustBeMade() {
	if p.hall == nil {
		panic("intercept: installing the zero Plugin, which has no policy; make one with New")
	}
}

// onRequest makes the plan, unless the front has, and answers at once where upstream must not be asked.
func (p *Plugin) onRequest(req *http.Request, ctx *goproxy.ProxyCtx) (out *http.Request, resp *http.Response) {
	if prev, ok := ctx.RoundTripper.(*placement); ok && prev.x.p == p {
		return req, nil // the filters are in this proxy twice
	}
	x := p.exchangeOf(req)
	if x == nil {
		x = p.exchangeOf(ctx.Req) // another handler has made the request anew, without the context of the first
	}
	fresh := x == nil
	if fresh {
		if req.RemoteAddr == "" && ctx.Req != nil {
			req.RemoteAddr = ctx.Req.RemoteAddr // the same; rules may be for some clients only
		}
		x = p.newExchange(req, doorInstalled)
	}
	defer func() {
		if v := recover(); v != nil {
			out, resp = req, x.crashed(req, v)
		}
	}()
	stripNamed(req.Header)
	ctx.RoundTripper = x.place(ctx.RoundTripper)
	if fresh {
		if p.viaNamesUs(req) {
			p.noteLoop(req.URL.Hostname(), x.client, loopReason)
			return req, x.approve(x.compose(req, plainAnswer(http.StatusLoopDetected, "autodiscover-guard: "+loopText+".\n")))
		}
		if req.URL.User != nil {
			return req, x.approve(x.compose(req, plainAnswer(http.StatusBadRequest, "autodiscover-guard: the URL or Host names a user.\n")))
		}
		req = x.prepare(req)
		// onResponse finds the plan here when another handler puts its transport in the place of ours; whom the body names is only in the plan.
		ctx.Req = x.attach(ctx.Req)
	}
	if x.settled() {
		return req, x.refuse(req)
	}
	return req, nil
}

// onResponse is the safety net: an answer that did not come from our round trip, because another handler composed or replaced it, is
// judged here. It returns no nil: that would end the process on goproxy's MITM path.
func (p *Plugin) onResponse(resp *http.Response, ctx *goproxy.ProxyCtx) (out *http.Response) {
	var x *exchange
	if placed, ok := ctx.RoundTripper.(*placement); ok && placed.x.p == p {
		x = placed.x
	} else {
		x = p.exchangeOf(ctx.Req)
	}
	if x == nil {
		x = p.newExchange(ctx.Req, doorInstalled)
	}
	defer func() {
		if v := recover(); v != nil {
			out = x.crashed(ctx.Req, v)
		}
		if x.door == doorInstalled {
			x.finish(out.StatusCode, max(out.ContentLength, 0))
		}
	}()
	if x.plan.Step == 0 {
		x.prepare(withoutBody(ctx.Req))
	}
	return x.review(resp, ctx)
}

// review judges an answer that we have not seen yet.
func (x *exchange) review(resp *http.Response, ctx *goproxy.ProxyCtx) *http.Response {
	switch {
	case resp == nil:
		err := ctx.Error
		if err == nil {
			err = errNoAnswer
		}
		return x.unanswered(ctx.Req, reasonNobody, x.failed(err))
	case x.isApproved(resp) || !x.recognised():
		return resp
	case x.settled():
		return x.refuse(ctx.Req)
	}
	body := resp.Body
	if body == nil {
		body = http.NoBody
	}
	head, over, err := x.readBounded(body, resp.ContentLength)
	_ = body.Close()
	if err != nil || over {
		return x.unanswered(ctx.Req, reasonForeign, failure{class: classProtocol, status: http.StatusBadGateway, text: "was not asked"})
	}
	x.decision = x.policy.Judge(&x.plan, dialect.Answer{Status: resp.StatusCode, Header: dialect.Header(resp.Header), Body: head})
	if x.decision.Action != rules.ActionPass {
		return x.approve(x.compose(ctx.Req, x.decision.Answer))
	}
	x.trailers(resp)
	resp.Body = memoryBody(head)
	return x.approve(resp)
}

// withoutBody is for a plan that is made too late to read the body.
func withoutBody(r *http.Request) *http.Request {
	out := new(http.Request)
	*out = *r
	out.Body = http.NoBody
	if out.URL == nil {
		out.URL = &url.URL{}
	}
	return out
}
