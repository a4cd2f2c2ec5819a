package intercept

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// door is the way by which a request came in.
type door string

// The doors, as records name them.
const (
	// doorPlain is an absolute-form request to the proxy.
	doorPlain door = "plain"
	// doorConnect is TLS inside a CONNECT tunnel that is opened.
	doorConnect door = "connect"
	// doorConnectPlain is plain HTTP inside a CONNECT tunnel to port 80.
	doorConnectPlain door = "connect-plain"
	// doorTransparent is TLS that was redirected to us, and is opened.
	doorTransparent door = "transparent"
	// doorTransparentPlain is plain HTTP that was redirected to us.
	doorTransparentPlain door = "transparent-plain"
	// doorInstalled is a goproxy server that is not ours (Install).
	doorInstalled door = "installed"
)

// exchange is one request and what becomes of it. It keeps one policy for its life. It is used by one goroutine at a time; only cut may be
// written by another.
type exchange struct {
	p       *Plugin
	policy  *rules.Policy
	id      string
	door    door
	client  string
	meant   target // where the client of the transparent door has connected to for plain HTTP; zero elsewhere
	from    rules.From
	start   time.Time
	binding *binding
	// control sets deadlines for the client's body; nil where nobody may. timed says that there is one.
	control *http.ResponseController
	timed   bool

	method string
	http1  bool // the client speaks HTTP/1
	http10 bool // the client speaks HTTP/1.0
	url    url.URL
	body   []byte
	held   bool // body is the whole request body
	// hasLongBody says that it has a slot for long bodies, tooMany that there was none.
	hasLongBody, tooMany bool
	upload               *clientBody // nil where no body streams
	plan                 rules.Plan
	tries                tries

	first    placement // in the proxy; more are made where the filters are in it twice
	decision rules.Decision
	upstream upstream
	bytesIn  int64 // bytes of the answer's body that came from upstream

	approved approval
	stream   bool      // flush every write: nobody knows how long the answer is
	switched io.Closer // upstream's connection, where it is not HTTP any more

	cut    atomic.Bool // upstream's body broke off on its way to the client
	relay  *relayed    // that body; nil where none streams
	record sync.Once   // whatever becomes of it, there is one record
}

// approval is the answer that was decided on, as it was then; whoever puts another one in its place has it judged again.
type approval struct {
	resp   *http.Response
	body   io.ReadCloser
	status int
}

// upstream is what a record says of the far side.
type upstream struct {
	asked  bool
	status int
	class  string
	check  string      // which check of its TLS failed
	gone   atomic.Bool // something of the request may have left
	traced bool        // gone is known
}

// newExchange begins an exchange. The request's URL is absolute.
func (p *Plugin) newExchange(r *http.Request, d door) *exchange {
	x := &exchange{
		p:       p,
		policy:  p.policy.Load(),
		id:      p.nextID(),
		door:    d,
		client:  clientAddress(r.RemoteAddr),
		start:   p.clock(),
		binding: bindingOf(r.Context()),
		method:  r.Method,
		http1:   r.ProtoMajor < 2,
		http10:  !r.ProtoAtLeast(1, 1),
	}
	if r.URL != nil {
		x.url = *r.URL
	}
	if d == doorTransparentPlain {
		if c, ok := r.Context().Value(hallKey{}).(*hallConn); ok {
			x.meant = c.target
		}
	}
	x.from.At = x.start
	x.from.Client, _ = netip.ParseAddr(x.client) // the zero address of an unknown client is in no range
	return x
}

// recognised reports whether the exchange is configuration discovery. An exchange without a plan is not known to be.
func (x *exchange) recognised() bool {
	return x.plan.Step != 0 && x.plan.Step != rules.Ignore && x.plan.Step != rules.Watch
}

// settled reports whether the client is answered without upstream's being asked.
func (x *exchange) settled() bool {
	return x.plan.Step == 0 || x.plan.Step == rules.Refuse || x.plan.Step == rules.Reply
}

// guarded reports whether a rule applies, as far as is known.
func (x *exchange) guarded() bool {
	return x.plan.Guarded || x.decision.Rule != "" && x.decision.Mode != rules.Monitor || x.decision.Action > rules.ActionPass
}

// prepare reads what the policy needs to see of the request and asks it for a plan. It returns the request with a body that begins anew.
//
// A discovery request whose body is longer than Limits.BodyBytes, or breaks off, is never forwarded: somebody whom nobody has judged may
// stand in the part that was not read. Guarded as far as is known, it gets the dialect's refusal, otherwise an honest 413 or 400.
func (x *exchange) prepare(r *http.Request) *http.Request {
	view := dialect.Request{Method: r.Method, URL: &x.url, Header: dialect.Header(withoutProxyAuthorization(r.Header))}
	var over bool
	var err error
	if r.Body != nil && r.Body != http.NoBody && dialect.NeedsBody(view) {
		x.body, over, err = x.read(r.Body, r.ContentLength)
		x.held = !over && err == nil
		view.Body = x.body
		r = x.reread(r, over, err)
	}
	x.plan = x.policy.Plan(view, x.from)
	x.followRedirect(view)
	x.decision = x.plan.Decision
	if over && !x.recognised() {
		x.clearReadDeadline()
	}
	switch {
	case x.plan.Step == rules.Refuse || x.plan.Step == 0:
		x.drain(r)
	case err != nil && x.recognised():
		x.stop(http.StatusBadRequest, reasonCutBody)
	case over && x.recognised() && x.tooMany:
		x.stop(http.StatusServiceUnavailable, reasonTooMany)
	case over && x.recognised():
		x.stop(http.StatusRequestEntityTooLarge, reasonLongBody)
	case x.plan.Step == rules.Reply:
		x.drain(r)
	case x.plan.Step == rules.Scrub:
		x.drain(r) // see scrubbed
	}
	return r
}

// read reads a request body; whoever dribbles it is cut off. Where the body does not end within the limit the deadline stays, because net/http
// reads on for up to 256 KiB before it sends the answer, in the hope of keeping the connection. A second reading has what the first has left of it.
func (x *exchange) read(body io.Reader, length int64) ([]byte, bool, error) {
	if x.control != nil && !x.timed {
		x.timed = true
		_ = x.control.SetReadDeadline(time.Now().Add(x.p.limits.Body))
	}
	head, over, err := x.readBounded(body, length)
	if err == nil && !over {
		x.clearReadDeadline()
	}
	return head, over, err
}

func (x *exchange) clearReadDeadline() {
	if x.control != nil {
		x.timed = false
		_ = x.control.SetReadDeadline(time.Time{})
	}
}

// reread gives the request a body that starts from the beginning again.
func (x *exchange) reread(r *http.Request, over bool, err error) *http.Request {
	out := new(http.Request)
	*out = *r
	switch {
	case err != nil:
		out.Body = rejoin(x.body, failingBody{err})
	case over:
		out.Body = rejoin(x.body, r.Body)
	default:
		body := x.body
		out.Body = memoryBody(body)
		out.GetBody = func() (io.ReadCloser, error) { return memoryBody(body), nil }
	}
	return out
}

// drain reads a request body that nobody wants, so that the client hears the answer and keeps its connection; reading it also sends
// the 100 that a client with "Expect: 100-continue" waits for.
func (x *exchange) drain(r *http.Request) {
	if !x.held && r.Body != nil && r.Body != http.NoBody {
		_, _, _ = x.read(r.Body, r.ContentLength)
	}
}

// stop has the exchange refused before upstream is asked.
func (x *exchange) stop(status int, reason string) {
	d := x.policy.Unanswered(&x.plan, reason)
	if d.Action == rules.ActionPass {
		d.Action = rules.ActionRefuse
		d.Answer = plainAnswer(status, "autodiscover-guard: "+reason+".\n")
	}
	d.Credentials.Forwarded = false
	x.decision = d
	x.plan.Step = rules.Refuse
}

// withheld is the decision where there is no answer to judge, or where that which was decided on cannot be given. Whom only its answer has told to be guarded stays so.
func (x *exchange) withheld(reason string) rules.Decision {
	d := x.policy.Unanswered(&x.plan, reason)
	if d.Action == rules.ActionPass && x.guarded() {
		d = x.decision
		d.Action, d.Reason, d.Answer, d.Suggestions = rules.ActionRefuse, reason, dialect.Refuse(x.plan.Inquiry), nil
	}
	return d
}

// unanswered decides on, and returns, what the client gets where there is no answer to judge.
func (x *exchange) unanswered(req *http.Request, reason string, f failure) *http.Response {
	if x.recognised() {
		x.decision = x.withheld(reason)
		if f.beforeRequest() || x.neverSent() {
			x.decision.Credentials.Forwarded = false
		}
		if x.decision.Action != rules.ActionPass {
			return x.approve(x.compose(req, x.decision.Answer))
		}
	}
	return x.approve(x.compose(req, pageFor(req, x.url.Hostname(), f)))
}

// crashed is what the client gets after a panic.
func (x *exchange) crashed(req *http.Request, v any) *http.Response {
	x.p.recovered(v, zap.String(keyExchange, x.id))
	if x.upstream.class == "" {
		x.upstream.class = classPanic
	}
	return x.unanswered(req, reasonPanic, failure{class: classPanic, status: http.StatusBadGateway, text: "could not be asked: an internal error"})
}

// approve remembers the answer that was decided on, and what follows from it: hosts in quarantine, redirects.
func (x *exchange) approve(resp *http.Response) *http.Response {
	x.quarantineStrangers()
	x.rememberRedirects()
	x.approved = approval{resp, resp.Body, resp.StatusCode}
	return resp
}

func (x *exchange) isApproved(resp *http.Response) bool {
	a := &x.approved
	return a.resp != nil && resp == a.resp && resp.Body == a.body && resp.StatusCode == a.status
}

// compose makes a response of an answer that we write ourselves. The header fields without a value keep net/http from adding its guess.
func (x *exchange) compose(req *http.Request, a dialect.Answer) *http.Response {
	if a.Status < 200 || a.Status > 599 {
		a = plainAnswer(http.StatusNotFound, "")
	}
	resp := &http.Response{
		StatusCode: a.Status,
		Status:     statusLine(a.Status),
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header(a.Header.Clone()),
		Body:          memoryBody(a.Body),
		ContentLength: int64(len(a.Body)),
		Request:       req,
	}
	stripHopByHop(resp.Header, false)
	if _, ok := resp.Header["Content-Type"]; !ok {
		resp.Header["Content-Type"] = nil
	}
	if a.Status != http.StatusNoContent && a.Status != http.StatusNotModified {
		resp.Header.Set("Content-Length", fmt.Sprint(len(a.Body)))
	} else {
		resp.Header.Del("Content-Length")
	}
	if x.method == http.MethodHead {
		resp.Body = http.NoBody
	}
	return resp
}

func statusLine(code int) string { return fmt.Sprintf("%03d %s", code, http.StatusText(code)) }

func plainAnswer(status int, text string) dialect.Answer {
	h := dialect.Header{"Cache-Control": {"no-store"}}
	if text != "" {
		h["Content-Type"] = []string{"text/plain; charset=utf-8"}
		h["X-Content-Type-Options"] = []string{"nosniff"}
	}
	return dialect.Answer{Status: status, Header: h, Body: []byte(text)}
}

// withoutProxyAuthorization is the header without what a client said to the proxy itself: its password for the proxy is nobody else's.
func withoutProxyAuthorization(h http.Header) http.Header {
	if _, ok := h["Proxy-Authorization"]; !ok {
		return h
	}
	own := make(http.Header, len(h))
	for name, values := range h {
		if name != "Proxy-Authorization" {
			own[name] = values
		}
	}
	return own
}

type exchangeKey struct{}

// exchangeOf finds the exchange that the front began.
func (p *Plugin) exchangeOf(r *http.Request) *exchange {
	if r == nil {
		return nil
	}
	if x, ok := r.Context().Value(exchangeKey{}).(*exchange); ok && x.p == p {
		return x
	}
	return nil
}

func (x *exchange) attach(r *http.Request) *http.Request {
	r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	if x.upload != nil {
		r.Body = x.upload // and not in the request that net/http keeps (server.go: closedRequestBodyEarly)
		r.GetBody = x.upload.again
	}
	return r
}
