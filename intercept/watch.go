package intercept

import (
	"context"
	"errors"
	"io"
	"net/http"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// watch sends on what does not look like discovery but is about somebody guarded, and looks at what comes back: at its beginning, and only
// where that could be a discovery document's at the whole of it. Everything else streams.
func (x *exchange) watch(req *http.Request, by route) *http.Response {
	resp, err := x.sendOn(req, by)
	if err != nil {
		return x.unanswered(req, reasonFailed, x.failed(err))
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return x.approve(x.passOn(resp, nil))
	}
	asked, answer := dialect.Request{Method: req.Method, Header: dialect.Header(req.Header)}, dialect.Answer{Status: resp.StatusCode, Header: dialect.Header(resp.Header)}
	if x.policy.SniffRedirect(&x.plan, answer) {
		return x.judgeRedirect(resp)
	}
	if dialect.IsNotificationStream(asked, answer.Header) {
		return x.approve(x.passOn(resp, nil)) // there may be nothing to look at for a long time
	}
	head, whole, err := x.look(resp, dialect.IsPropfindRedirect(asked, answer) || x.plan.NeedsWholeBody())
	switch {
	case errors.Is(err, errTooMany):
		_ = resp.Body.Close()
		return x.unanswered(req, reasonTooMany, failure{class: classResources, status: http.StatusServiceUnavailable, text: "was asked in vain: " + reasonTooMany})
	case err == nil && whole:
		return x.sniffed(resp, head)
	case err != nil:
		if cut := x.incomplete(resp, head, reasonBroken); cut != nil {
			x.noteFailure(brokenClass(err))
			return cut
		}
	case int64(len(head)) > x.p.limits.BodyBytes:
		if long := x.incomplete(resp, head, reasonLong); long != nil {
			return long
		}
	}
	return x.approve(x.passOn(x.rest(resp, head, err), nil))
}

// judgeRedirect judges the second redirect, or a later one, of those that begin at a discovery place.
func (x *exchange) judgeRedirect(resp *http.Response) *http.Response {
	x.decision = x.plan.Decision
	wait := newAnswerDeadline(resp.Request.Context(), x.p.upstream.AnswerTimeout)
	body := resp.Body
	context.AfterFunc(wait.ctx, func() { _ = body.Close() }) // the question was not asked with this deadline
	return x.judge(resp, wait)
}

// look reads an answer until it is clear that it is no discovery, or to its end. whole reports that head is all of it and may be. An answer that does
// not say how long it is may never end, as notifications do not: it goes on as soon as its first elements are of no dialect, unless the policy
// suspects what is of none. With wholeBody it is read whole, whatever is in it.
func (x *exchange) look(resp *http.Response, wholeBody bool) (head []byte, whole bool, err error) {
	h := dialect.Header(resp.Header)
	endless := resp.ContentLength < 0 && !wholeBody && !x.policy.Suspects()
	piece := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(piece)
	var first answerHead
	for {
		n, err := resp.Body.Read(piece[:])
		head = append(head, piece[:n]...)
		ended := errors.Is(err, io.EOF)
		plain, text := first.decoded(h, head)
		switch {
		case err != nil && !ended:
			return head, false, err
		case !wholeBody && !dialect.MayBeDiscovery(plain, text, ended), int64(len(head)) > x.p.limits.BodyBytes:
			return head, false, nil
		case ended:
			return head, true, nil
		case endless && first.notDiscovery(plain, text):
			return head, false, nil
		case len(head) > longBody && !x.acquireLongBody():
			return head, false, errTooMany
		}
	}
}

const (
	// maxAnswerHead is how much is looked through for the first elements, from the start with each piece.
	maxAnswerHead = 64 << 10
	// maxReread bounds all of these looks together: a server that sends byte by byte would have the same text read thousands of times.
	maxReread = 4 << 20
	// decodingCost is what it costs to undo a coding at all, counted as bytes that were read again.
	decodingCost = 4 << 10
)

// answerHead is the beginning of an answer that may never end. It counts how many bytes of it were read again.
type answerHead struct{ reread int }

// decoded is the head without content codings, as long as it may still be looked at.
func (a *answerHead) decoded(h dialect.Header, head []byte) (dialect.Header, []byte) {
	if len(head) >= maxAnswerHead || a.reread > maxReread {
		return h, head
	}
	plain, text, coded := dialect.DecodedHead(h, head)
	if coded {
		a.reread += decodingCost + len(text)
	}
	return plain, text
}

// notDiscovery reports whether the first elements are there and of no dialect. Whoever has looked too often waits for the end.
func (a *answerHead) notDiscovery(h dialect.Header, head []byte) bool {
	if len(head) >= maxAnswerHead || a.reread > maxReread {
		return false
	}
	a.reread += len(head)
	return dialect.NotDiscovery(h, head)
}

// rest gives a response its body back, of which head was read; err is how the reading ended.
func (x *exchange) rest(resp *http.Response, head []byte, err error) *http.Response {
	if err != nil {
		_ = resp.Body.Close()
		resp.Body = rejoin(head, failingBody{err})
		return resp
	}
	resp.Body = rejoin(head, resp.Body)
	return resp
}

// incomplete is the answer in the place of one that begins as discovery and was not read to its end, nil where it does not: one over the limit, since nobody's settings
// have that length, unless to get by unseen; and one that broke off, whose beginning may name its servers already.
func (x *exchange) incomplete(resp *http.Response, head []byte, reason string) *http.Response {
	plan := x.plan
	if _, ok := x.policy.Sniff(&plan, dialect.Answer{Status: resp.StatusCode, Header: dialect.Header(resp.Header), Body: head}); !ok || !plan.Guarded || plan.Inquiry.Dialect == dialect.Suspected {
		return nil
	}
	_ = resp.Body.Close()
	x.plan, x.bytesIn = plan, int64(len(head))
	x.decision = x.policy.Unanswered(&x.plan, reason)
	return x.approve(x.compose(resp.Request, x.decision.Answer))
}

// sniffed lets the policy look at a whole answer. If it is discovery the exchange is, from here on, like one that was recognised at once.
func (x *exchange) sniffed(resp *http.Response, body []byte) *http.Response {
	decision, ok := x.policy.Sniff(&x.plan, dialect.Answer{Status: resp.StatusCode, Header: dialect.Header(resp.Header), Body: body})
	_ = resp.Body.Close()
	resp.Body = memoryBody(body)
	if !ok {
		return x.approve(resp)
	}
	x.decision, x.bytesIn = decision, int64(len(body))
	x.trailers(resp)
	if decision.Action != rules.ActionPass {
		return x.approve(x.compose(resp.Request, decision.Answer))
	}
	return x.approve(resp)
}
