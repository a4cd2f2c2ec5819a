package doctor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// exchange is one question for one account, what the policy of the configuration says of it, and what came back.
type exchange struct {
	request dialect.Request
	plan    rules.Plan
	// skip is why it was not asked, empty where it was.
	skip   skipReason
	answer dialect.Answer
	took   time.Duration
	err    error
}

// skipReason says why a question is left out.
type skipReason string

const (
	// skipUnguarded is for one that would travel to strangers as if there were no guard.
	skipUnguarded skipReason = "not guarded"
	// skipClosed is for one that would be tunnelled, unread.
	skipClosed skipReason = "not opened"
)

// maxAnswer bounds what is read of an answer: as much as the guard itself lets through, and a little more.
const maxAnswer = 4 << 20

// ask makes the request that a client would send.
func (c client) ask(q question, a account) (dialect.Request, error) {
	u, err := url.Parse(a.fill(q.url))
	if err != nil {
		return dialect.Request{}, fmt.Errorf("asking about %q: %w", a.domain, err)
	}
	header := http.Header{}
	if c.agent != "" {
		header.Set("User-Agent", c.agent)
	}
	for name, value := range q.header {
		header.Set(name, value)
	}
	if q.login {
		header.Set("Authorization", a.basic())
	}
	r := dialect.Request{Method: q.method, URL: u, Header: dialect.Header(header)}
	if q.body != nil {
		r.Body = []byte(q.body(a.address()))
	}
	return r, nil
}

// plan decides beforehand, as the guard will, and leaves out what no guard would see.
func (e *examination) plan(r dialect.Request) *exchange {
	x := &exchange{request: r, plan: e.Policy.Plan(r, e.from())}
	switch d := x.plan.Decision; {
	case r.URL.Scheme == "https" && !e.Policy.Opens(r.Host()):
		x.skip = skipClosed
	case !x.plan.Guarded && d.Mode != rules.Monitor:
		x.skip = skipUnguarded
	}
	return x
}

// send asks through the guard. Redirects are not followed.
func (x *exchange) send(ctx context.Context, through http.RoundTripper) {
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, x.request.Method, x.request.URL.String(), bytes.NewReader(x.request.Body))
	if err != nil {
		x.err = err
		return
	}
	maps.Copy(r.Header, x.request.Header)
	if len(r.Header["User-Agent"]) == 0 {
		r.Header["User-Agent"] = nil // net/http would name itself
	}
	begun := time.Now()
	response, err := through.RoundTrip(r)
	if err == nil {
		x.answer = dialect.Answer{Status: response.StatusCode, Header: dialect.Header(response.Header)}
		x.answer.Body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		response.Body.Close()
	}
	x.took, x.err = time.Since(begun), err
}
