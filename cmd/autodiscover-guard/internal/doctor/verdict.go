package doctor

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

const (
	doSequence = "see the decision record of this exchange: it says what the guard did, and why"
	doPolicy   = "the running guard decides otherwise than this configuration: name its own with --config, or reload it"
)

// verdict says what is wrong with one exchange; State OK and no text where nothing is.
func (e *examination) verdict(x *exchange, domain string) Finding {
	switch {
	case x.err != nil:
		return broken(x, domain)
	case !x.plan.Guarded:
		return e.monitored(x, domain)
	}
	want, strangers := e.expectedAnswer(x)
	switch noise := disturbance(x.answer); {
	case len(strangers) > 0:
		return fail(domain, fmt.Sprintf("a stranger (%s) reaches clients of %s, asked by %s: rule %s does not let it", hostList(strangers), domain, x.question(), x.plan.Decision.Rule), doPolicy)
	case noise != "" && !e.ownWord(x) && (x.answer.Status != want.Status || !redirects(x.answer.Status)):
		return fail(domain, fmt.Sprintf("%s is answered with %s, which clients take for a reason to ask for the password, try again or go elsewhere", x.question(), noise), doSequence)
	case !sameAnswer(x.answer, want):
		return fail(domain, fmt.Sprintf("%s is answered with %d %s; the dialect's own answer is %d %s", x.question(), x.answer.Status, mediaType(x.answer), want.Status, mediaType(want)), doPolicy)
	}
	return ok(domain, "")
}

// broken is for a connection that ended without an answer.
func broken(x *exchange, domain string) Finding {
	if _, not := errors.AsType[x509.UnknownAuthorityError](x.err); not {
		return fail(domain, x.question()+": the certificate that comes back is not of this authority",
			"another proxy opens the connection, or the guard does not: name its state directory with --state, and its configuration with --config")
	}
	if errors.Is(x.err, context.DeadlineExceeded) {
		return fail(domain, fmt.Sprintf("%s is not answered within %s", x.question(), questionTimeout), doSequence)
	}
	return fail(domain, fmt.Sprintf("%s is not answered: %s", x.question(), rootCause(x.err)), doSequence)
}

// monitored is for an exchange that no rule enforces and one only watches. Where it would refuse an answer without a stranger in it, the asked host is one, or is missing in the rule.
func (e *examination) monitored(x *exchange, domain string) Finding {
	d := e.Policy.Judge(&x.plan, x.answer)
	rule, asked := x.plan.Decision.Rule, x.request.URL.Hostname()
	do := "take mode: monitor out of rule " + rule + " when its trial is over"
	switch {
	case len(d.Strangers) > 0:
		return fail(domain, fmt.Sprintf("a stranger (%s) reaches clients of %s: rule %s only monitors", hostList(d.Strangers), domain, rule), do)
	case x.plan.Decision.Would == rules.ActionRefuse && namesServers(d):
		f := fail(domain, fmt.Sprintf("%s, outside rule %s, tells clients of %s servers: the rule only monitors, and would refuse that", asked, rule, domain),
			fmt.Sprintf("if %s is yours, put it into allow of rule %s before its trial is over", asked, rule))
		f.weak = true
		return f
	}
	return warning(domain, fmt.Sprintf("clients of %s are kept from nobody: rule %s only monitors", domain, rule), do)
}

func namesServers(d rules.Decision) bool {
	return slices.ContainsFunc(d.Suggestions, func(s dialect.Suggestion) bool { return s.Host != "" })
}

// expectedAnswer is the answer that the client should have got, judged by what it got, and the strangers in that.
func (e *examination) expectedAnswer(x *exchange) (want dialect.Answer, strangers []string) {
	if x.plan.Step == rules.Refuse || x.plan.Step == rules.Reply {
		d, err := dialect.Read(x.plan.Inquiry, x.answer)
		if x.plan.Step == rules.Refuse && err == nil {
			for _, s := range d.Suggestions {
				strangers = append(strangers, s.Host)
			}
		}
		return x.plan.Decision.Answer, strangers
	}
	d := e.Policy.Judge(&x.plan, x.answer)
	if d.Action == rules.ActionPass {
		return x.answer, nil
	}
	return d.Answer, d.Strangers
}

// ownWord reports whether an answer is the word of a host of the rule, as it came: that it asks for a log-in, which nobody made up can have, or sets a cookie, is between it and its clients.
func (e *examination) ownWord(x *exchange) bool {
	return x.plan.Step == rules.Forward && e.Policy.Judge(&x.plan, x.answer).Action == rules.ActionPass
}

// hostList lists hosts for people, sorted and each once.
func hostList(hosts []string) string {
	sorted := slices.Sorted(slices.Values(hosts))
	return strings.Join(slices.Compact(sorted), ", ")
}

// disturbance names what makes clients ask for the password, try again or go elsewhere, empty where an answer has nothing of it. It knows no policy.
func disturbance(a dialect.Answer) string {
	switch s := a.Status; {
	case s == 401, s == 403, s == 407, s == 429, s >= 500, redirects(s), s < 200, s == 204:
		return "status " + strconv.Itoa(s)
	}
	for _, name := range [...]string{"Www-Authenticate", "Proxy-Authenticate", "Set-Cookie", "Refresh", "Retry-After", "X-Ms-Location"} {
		if a.Header.Get(name) != "" {
			return "a field " + name
		}
	}
	return ""
}

func redirects(status int) bool { return status >= 300 && status < 400 }

func sameAnswer(got, want dialect.Answer) bool {
	return got.Status == want.Status && mediaType(got) == mediaType(want) && got.Header.Get("Location") == want.Header.Get("Location") &&
		bytes.Equal(got.Body, want.Body)
}

func mediaType(a dialect.Answer) string {
	media, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	if media = strings.ToLower(strings.TrimSpace(media)); media == "" {
		return "without a body"
	}
	return media
}

// question is the question for people, without its query: it names the account.
func (x *exchange) question() string {
	u := *x.request.URL
	u.RawQuery, u.ForceQuery = "", false
	return x.request.Method + " " + u.String()
}

// rootCause takes what net/http and net say around the cause away.
func rootCause(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}
