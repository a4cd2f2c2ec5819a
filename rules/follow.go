package rules

import (
	"net/url"
	"slices"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// A redirect inside the set passes, and what the client asks next need not look like discovery, or say whose it is: a place that nobody published, at a host that is not the
// domain's, without an address anywhere. If that answers with a redirect, too, the client goes on without asking anybody, and so the second one is
// judged like the first. Whoever sees the exchanges remembers where clients were sent to ([Decision.Redirects]) and says so ([Policy.Follow]).

// maxRedirects bounds the places that one answer sends a client to, who goes to one of them. An answer that has more is refused: the rest would not be remembered.
const maxRedirects = 8

// Redirects lists where an answer that reaches somebody guarded sends the client for its next question, each place once. asked is the URL that was asked: relative
// references are resolved against it.
func (d *Decision) Redirects(asked *url.URL) []*url.URL {
	if d.Rule == "" || d.Action != ActionPass && d.Action != ActionEdit {
		return nil
	}
	var all []*url.URL
	for _, to := range redirectTargets(d.Suggestions) {
		if u, err := dialect.ResolveReference(asked, to); err == nil {
			all = append(all, u)
		}
	}
	return all
}

// redirectTargets lists where suggestions that a client gets have it ask again: redirects, and the URL of POX Autodiscover in an answer of Autodiscover v2. It stops at one
// more than maxRedirects, which is too many already. Nobody follows Content-Location.
func redirectTargets(all []dialect.Suggestion) []string {
	var places []string
	for _, s := range all {
		again := s.Kind == dialect.KindRedirect && s.Path != "header:content-location" || s.Kind == dialect.KindURL && s.Protocol == "autodiscoverv1"
		kept := s.Verdict == dialect.Keep || s.Verdict == dialect.Rewrite
		if again && kept && len(places) <= maxRedirects && !slices.Contains(places, s.Now) {
			places = append(places, s.Now)
		}
	}
	return places
}

// Follow plans for a request of a client that was sent to this place by an answer to the inquiry referrer. If the request looks like discovery and does not say whose, it is
// about the referrer's subjects. If it does not look like discovery, its answer is watched on their behalf; see [Policy.SniffRedirect].
func (p *Policy) Follow(r dialect.Request, from From, referrer dialect.Inquiry) Plan {
	plan := p.Plan(r, from)
	named := dialect.LoginSubjects(r)
	if plan.Step == Forward {
		named = slices.DeleteFunc(slices.Clone(plan.Inquiry.Subjects), func(s dialect.Subject) bool { return s.Carrier == dialect.CarrierHost })
	}
	rc := ruleContext{dialect: referrer.Dialect, host: reserved.Canonical(r.Host()), from: from}
	if plan.Guarded || !p.continues(r, named, referrer, rc) || len(p.bindings(referrer.Subjects, rc)) == 0 {
		return plan
	}
	if plan.Step == Forward {
		q := plan.Inquiry
		q.Subjects = slices.Concat(referrer.Subjects, q.Subjects)
		return p.planFor(q, from)
	}
	return Plan{Step: Watch, Inquiry: dialect.Inquiry{Request: r}, ruleContext: ruleContext{host: rc.host, from: from}, referrer: &referrer}
}

// continues reports whether a request, which itself names the subjects named, can be the next question of whoever was sent to that place. Many may share the address by which
// a client is remembered, and the place may be a company's web site: a browser that opens a page asks for no settings (but for a profile's, which people open), and somebody
// who is nobody guarded is somebody else, unless the redirect itself said whom to log in as.
func (p *Policy) continues(r dialect.Request, named []dialect.Subject, referrer dialect.Inquiry, rc ruleContext) bool {
	if referrer.Dialect != dialect.MobileConfig && dialect.OpensPage(r) {
		return false
	}
	return len(named) == 0 || len(p.bindings(named, rc)) > 0 || slices.ContainsFunc(named, func(s dialect.Subject) bool {
		return slices.ContainsFunc(referrer.Subjects, func(t dialect.Subject) bool { return t.Domain == s.Domain })
	})
}

// SniffRedirect reports whether an answer to a request that was planned by Follow sends the client on. The plan is then that of a discovery exchange, and the answer
// is one for Judge.
func (p *Policy) SniffRedirect(plan *Plan, a dialect.Answer) bool {
	if plan.Step != Watch || plan.referrer == nil || !dialect.IsRedirect(a) {
		return false
	}
	p.promote(plan, dialect.Inquiry{Dialect: plan.referrer.Dialect, Subjects: plan.withReferrer(dialect.CarrierSubjects(plan.Inquiry.Request)), Request: plan.Inquiry.Request})
	return true
}

// answersReferrer reports whether an answer is one to the referrer's question: a client that was sent for one takes less for an answer than [dialect.Sniff] does anywhere. DAV is
// left out: what a WebDAV client reads behind the well-known place are its calendars, whole.
func (plan *Plan) answersReferrer(a dialect.Answer) (dialect.Inquiry, bool) {
	if plan.referrer == nil || plan.referrer.Dialect == dialect.DAV {
		return dialect.Inquiry{}, false
	}
	r := plan.Inquiry.Request
	q := dialect.Inquiry{Dialect: plan.referrer.Dialect, Subjects: dialect.CarrierSubjects(r), Request: r}
	return q, dialect.MayAnswer(q, a)
}

// NeedsWholeBody reports whether an answer has to be seen whole, whatever it begins like: readers of a clientConfig take a page for one, and of JSON with something
// behind it, which may be a stream, a reader can end with the first value.
func (plan *Plan) NeedsWholeBody() bool {
	if plan.Step != Watch || plan.referrer == nil {
		return false
	}
	switch plan.referrer.Dialect {
	case dialect.Autoconfig, dialect.V2, dialect.JMAP, dialect.PACC, dialect.Autodetect, dialect.Identity:
		return true
	default:
		return false
	}
}

// withReferrer puts the referrer's subjects in front: an answer that repeats an address repeats the first.
func (plan *Plan) withReferrer(subjects []dialect.Subject) []dialect.Subject {
	if plan.referrer == nil {
		return subjects
	}
	return slices.Concat(plan.referrer.Subjects, subjects)
}

// promote makes the plan of a watched request the plan of a discovery exchange.
func (p *Policy) promote(plan *Plan, q dialect.Inquiry) {
	plan.ruleContext.dialect = q.Dialect
	plan.Step, plan.Inquiry = Forward, q
	plan.bindings = enforced(p.bindings(q.Subjects, plan.ruleContext))
	plan.Guarded = len(plan.bindings) > 0
	c := credentials(q.Request)
	c.Forwarded = c.Present
	plan.Decision = Decision{Dialect: q.Dialect, Subjects: domains(q.Subjects), Credentials: c}
	plan.Decision.setRule(plan.bindings)
}
