package intercept

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// moved reports whether another handler has changed the URL or the method since the plan was made.
func (x *exchange) moved(req *http.Request) bool {
	u := req.URL
	return u.Scheme != x.url.Scheme || u.Host != x.url.Host || u.Path != x.url.Path || u.RawQuery != x.url.RawQuery || req.Method != x.method
}

// refuse is the answer where upstream is not asked.
func (x *exchange) refuse(req *http.Request) *http.Response {
	if x.decision.Action <= rules.ActionPass {
		x.decision = x.policy.Unanswered(&x.plan, reasonPlan)
	}
	return x.approve(x.compose(req, x.decision.Answer))
}

// forward sends on what is not ours, and streams the answer.
func (x *exchange) forward(req *http.Request, by route) *http.Response {
	resp, err := x.sendOn(req, by)
	if err != nil {
		return x.unanswered(req, reasonFailed, x.failed(err))
	}
	return x.approve(x.passOn(resp, nil))
}

// sendOn sends a request on as it is, and returns the answer's header with its body to come. A 101 that does not grant the upgrade that was asked for is no
// answer: whoever got it would wait for another, and take the next request's for it.
func (x *exchange) sendOn(req *http.Request, by route) (*http.Response, error) {
	// Only HTTP/1.1 can be upgraded (RFC 9110, section 7.8), and no request whose body would be read on beside what comes then.
	stripHopByHop(req.Header, x.http1 && !x.http10 && req.ContentLength == 0)
	req.Close = false // the client's connection ends, not ours
	x.upload.duplex()
	resp, err := x.send(req, by)
	if err = x.upload.answered(resp, err); err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols && !(isWebSocket(req.Header) && isWebSocket(resp.Header)) {
		_ = resp.Body.Close()
		return nil, errSwitched
	}
	x.trailers(resp)
	x.stream = resp.ContentLength < 0
	return resp, nil
}

// answerDeadline bounds how long a discovery exchange waits for its upstream: a context that ends with errAnswerTimeout, unless the timer is stopped before.
type answerDeadline struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func newAnswerDeadline(ctx context.Context, d time.Duration) *answerDeadline {
	p := new(answerDeadline)
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	p.timer = time.AfterFunc(d, func() { p.cancel(errAnswerTimeout) })
	return p
}

func (p *answerDeadline) end() {
	p.timer.Stop()
	p.cancel(nil)
}

// over is why the wait for upstream ended before its answer did. A server that is told in the middle of its answer that we leave (by TLS, before the
// connection is closed) may end it in good form, and half of it would look whole.
func (p *answerDeadline) over() error { return context.Cause(p.ctx) }

// reason is the error, or why the wait for upstream ended: net/http reports the latter in many forms.
func (p *answerDeadline) reason(err error) error {
	if cause := p.over(); cause != nil {
		return cause
	}
	return err
}

// ask asks upstream on behalf of a discovery exchange, without the secrets where the plan says so, and judges the answer.
func (x *exchange) ask(req *http.Request, by route) *http.Response {
	wait := newAnswerDeadline(req.Context(), x.p.upstream.AnswerTimeout)
	resp, err := x.send(x.scrubbed(req, by).WithContext(wait.ctx), by)
	if err != nil {
		err = wait.reason(err)
		wait.end()
		return x.unanswered(req, reasonFailed, x.failed(err))
	}
	resp.Request = req
	return x.judge(resp, wait)
}

// scrubbed is the request as it goes upstream. The client's own is left alone: other handlers and the inquiry look at it.
func (x *exchange) scrubbed(req *http.Request, by route) *http.Request {
	out := new(http.Request)
	*out = *req
	out.Close = false
	if x.plan.Header != nil {
		out.Header = http.Header(x.plan.Header.Clone())
	} else {
		out.Header = req.Header.Clone()
	}
	stripHopByHop(out.Header, false)
	if by.next == nil && len(out.Header[idempotencyKey]) == 0 {
		out.Header[idempotencyKey] = repeatable
	}
	u := *req.URL
	u.User = nil
	if x.plan.Step == rules.Scrub {
		u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = x.plan.Query, false, "", ""
		out.Trailer = nil
		if !x.held { // a body that the policy does not read says nothing that the service needs, and may say a password
			out.Body, out.GetBody, out.ContentLength, out.TransferEncoding = http.NoBody, nil, 0, nil
			out.Header.Del("Content-Type")
		}
	}
	out.URL = &u
	if x.held {
		out.Header.Del("Expect") // the body is here already; waiting for a 100 would cost the client a second
	}
	return out
}

// idempotencyKey is a field by which clients say that a request may be repeated, and which net/http looks at.
const idempotencyKey = "X-Idempotency-Key"

// repeatable has net/http ask a question again whose connection turns out to have ended while it lay idle, or ends with the question: whatever its method
// is, it changes nothing, and its body is here. net/http (go1.26, transport.go: Transport) leaves a field without a value out of what it sends.
var repeatable = []string{}

// send makes the round trip: over the next plugin's transport, or ours.
func (x *exchange) send(req *http.Request, by route) (*http.Response, error) {
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header["User-Agent"] = []string{""} // net/http would put its own name there
	}
	x.p.addVia(req)
	req = x.traced(x.p.dialer.withPurpose(req), by)
	var parent *parent // that is asked in absolute form
	if by.next == nil && by.ctx.Proxy.Tr == x.p.transport {
		parent = x.p.dialer.httpParent(req)
	}
	if parent != nil && parent.tracesPassword(req) {
		return nil, errTrace
	}
	if parent != nil {
		req = parent.maskHints(req)
	}
	x.upstream.asked = true
	var resp *http.Response
	var err error
	if by.next != nil {
		resp, err = by.next.RoundTrip(req, by.ctx)
	} else {
		resp, err = x.roundTrip(req, by.ctx.Proxy.Tr)
	}
	switch {
	case err != nil:
		return nil, err
	case resp == nil:
		return nil, errNoAnswer
	case resp.StatusCode < 100 || resp.StatusCode > 999: // what net/http would panic at
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
		return nil, errStatus
	case tooManyFields(resp.Header):
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
		return nil, errManyFields
	}
	if parent != nil {
		if resp.StatusCode == http.StatusProxyAuthRequired {
			// It is for us to log in there; the client would ask its user for a password, and send it.
			_ = resp.Body.Close()
			return nil, parent.says(resp.StatusCode, resp.Header)
		}
		parent.maskEcho(resp)
	}
	x.upstream.status = resp.StatusCode
	resp.Request = req
	if resp.Header == nil {
		resp.Header = http.Header{}
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	stripHopByHop(resp.Header, resp.StatusCode == http.StatusSwitchingProtocols)
	if resp.StatusCode == http.StatusNoContent {
		resp.Header.Del("Content-Length") // it may have none, and net/http takes care of that in HTTP/1 alone
	}
	if _, ok := resp.Header["Content-Type"]; !ok {
		resp.Header["Content-Type"] = nil // net/http would guess one
	}
	return resp, nil
}

// transport is what a request goes over. What is passed on is asked in the version of HTTP that the client speaks, as it would be without us: an answer
// then has the form that its client can take, and bytes are not put from one framing into another and back. Discovery, which is read whole before
// anything of it goes on, is asked over shared connections in HTTP/2 where upstream offers it.
func (x *exchange) transport(req *http.Request, base *http.Transport) *http.Transport {
	http11 := base
	if base == x.p.transport {
		ours := x.p.transports.Load()
		base, http11 = ours.shared, ours.http11
		if x.upload != nil || x.tries.processed != nil {
			base = ours.uploads
		}
	}
	if t := x.p.bindings.bound(x.binding, req.Header, http11); t != nil {
		return t
	}
	if x.http1 && !x.recognised() {
		return http11
	}
	return base
}

// traced watches whether anything of a request can have left: net/http's errors do not tell. Before it has a connection, TLS included, nothing has.
func (x *exchange) traced(req *http.Request, by route) *http.Request {
	if by.next != nil || !x.recognised() {
		return req
	}
	x.upstream.traced = true
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			x.upstream.gone.Store(true)
			x.onConn(info)
		},
	}))
}

// neverSent reports whether nothing of the request has left, for certain.
func (x *exchange) neverSent() bool { return x.upstream.traced && !x.upstream.gone.Load() }

var (
	errNoAnswer = errors.New("another plugin's transport gave neither answer nor error")
	errStatus   = errors.New("upstream's status is none")
	errSwitched = errors.New("upstream changed the protocol unasked")
)

// failed notes why upstream gave no answer, in the log where there will be no record.
func (x *exchange) failed(err error) failure {
	f := failureOf(err)
	x.upstream.check = f.check
	x.noteFailure(f.class)
	if !x.recognised() {
		x.p.logFailure(x.url.Hostname(), f)
	}
	return f
}

// judge reads the answer to a discovery request, up to the limit, and lets the policy decide.
func (x *exchange) judge(resp *http.Response, wait *answerDeadline) *http.Response {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		_ = resp.Body.Close()
		wait.end()
		return x.unanswered(resp.Request, reasonSwitched, x.failed(errSwitched))
	}
	head, over, err := x.readBounded(resp.Body, resp.ContentLength)
	if err == nil {
		err = wait.over()
	}
	x.bytesIn = int64(len(head))
	switch {
	case err != nil:
		x.noteFailure(brokenClass(wait.reason(err)))
		x.decision = x.policy.Unanswered(&x.plan, reasonBroken)
	case over:
		x.decision = x.policy.Unanswered(&x.plan, x.tooLong())
	default:
		x.decision = x.policy.Judge(&x.plan, dialect.Answer{Status: resp.StatusCode, Header: dialect.Header(resp.Header), Body: head})
	}
	x.trailers(resp)
	pass := x.decision.Action == rules.ActionPass
	if pass && over {
		wait.timer.Stop()
		resp.Body = rejoin(head, resp.Body)
		return x.approve(x.passOn(resp, wait.end))
	}
	_ = resp.Body.Close()
	wait.end()
	switch {
	case !pass:
		return x.approve(x.compose(resp.Request, x.decision.Answer))
	case err != nil:
		resp.Body = rejoin(head, failingBody{err})
		return x.approve(x.passOn(resp, nil))
	}
	resp.Body = memoryBody(head)
	return x.approve(resp)
}

// trailers leaves the fields behind a body to those who are not guarded: nobody judges them.
func (x *exchange) trailers(resp *http.Response) {
	if x.guarded() {
		resp.Trailer = nil
	}
	if x.http1 && len(resp.Trailer) > 0 {
		// Upstream may have spoken HTTP/2, which has both; HTTP/1 has trailers only in chunked bodies.
		resp.Header.Del("Content-Length")
		resp.ContentLength = -1
	}
}

// passOn lets an upstream's body through as it comes. end, if not nil, is called when the body is closed.
func (x *exchange) passOn(resp *http.Response, end func()) *http.Response {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		x.switched = resp.Body
		return resp // goproxy v1.9.4, http.go needs the body to be an io.ReadWriter
	}
	if resp.Body == http.NoBody && end == nil {
		return resp
	}
	x.relay = &relayed{body: resp.Body, cut: &x.cut, end: end}
	resp.Body = x.relay
	return resp
}

// closeSwitched closes upstream's connection where an exchange has switched protocols. goproxy v1.9.4, websocket.go copies until one of its two reads ends, and both may be stuck
// with a far side that neither reads nor speaks, however the near one has ended.
func (x *exchange) closeSwitched() {
	if x.switched != nil {
		_ = x.switched.Close()
	}
}

// clientURL is the URL of a request in a tunnel or at the plain door.
func clientURL(r *http.Request, scheme, authority string) *url.URL {
	u := *r.URL
	u.Scheme, u.Host = scheme, authority
	return &u
}
