package rules

import (
	"net/url"
	"slices"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// A redirect inside the set passes, and what the client asks next need not look like discovery, or say whose it is: a place that nobody published, at a host that is not the
// domain's, without an address anywhere. If that answers with a redirect, too, the client goes on without asking anybody, and so the second one is
// judged like the first. Whoever sees the exchanges remembers where clients were sent to ([Decision.Onward]) and says so ([Policy.Follow]).

// mostOnward bounds the places of one answer: a client goes to one of them. One that has more is refused, for no others would be remembered.
const mostOnward = 8

// Onward lists where an answer that somebody guarded gets sends the client for its next question, each place once. asked is the URL that was asked, for what is
// relative to it.
func (d *Decision) Onward(asked *url.URL) []*url.URL {
	if d.Rule == "" || d.Action != ActionPass && d.Action != ActionEdit {
		return nil
	}
	var all []*url.URL
	for _, to := range nextQuestions(d.Suggestions) {
		if u, err := dialect.Onward(asked, to); err == nil {
			all = append(all, u)
		}
	}
	return all
}

// nextQuestions lists where suggestions that a client gets have it ask again: redirects, and what Autodiscover v2 has of the place of the older one. One more than mostOnward
// are as good as any number. Nobody follows Content-Location.
func nextQuestions(all []dialect.Suggestion) []string {
	var places []string
	for _, s := range all {
		again := s.Kind == dialect.KindRedirect && s.Path != "header:content-location" || s.Kind == dialect.KindURL && s.Protocol == "autodiscoverv1"
		kept := s.Verdict == dialect.Keep || s.Verdict == dialect.Rewrite
		if again && kept && len(places) <= mostOnward && !slices.Contains(places, s.Now) {
			places = append(places, s.Now)
		}
	}
	return places
}

// Follow plans for a request that nobody guarded is known to have sent, where the client was sent to that place by an answer to the inquiry trail. If it looks like
// discovery and does not say whose, it is the inquiry's subjects'. The answer to any other is watched on their behalf; see [Policy.Pursue].
func (p *Policy) Follow(r dialect.Request, from From, trail dialect.Inquiry) Plan {
	plan := p.Plan(r, from)
	named := dialect.LogsIn(r)
	if plan.Step == Forward && !plan.Guarded {
		named = slices.DeleteFunc(slices.Clone(plan.Inquiry.Subjects), func(s dialect.Subject) bool { return s.Carrier == dialect.CarrierHost })
	}
	o := occasion{dialect: trail.Dialect, host: reserved.Canonical(r.Host()), from: from}
	if plan.Guarded || !p.continues(r, named, trail, o) || len(p.bindings(trail.Subjects, o)) == 0 {
		return plan
	}
	if plan.Step == Forward {
		q := plan.Inquiry
		q.Subjects = slices.Concat(trail.Subjects, q.Subjects)
		return p.planFor(q, from)
	}
	return Plan{Step: Watch, Inquiry: dialect.Inquiry{Request: r}, occasion: occasion{host: o.host, from: from}, trail: &trail}
}

// continues reports whether a request, whose named subjects it says itself, can be the next question of whoever was sent to that place. Many may share the address by which
// a client is remembered, and the place may be a company's web site: a browser that opens a page asks for no settings (but for a profile's, which people open), and somebody
// who is nobody guarded is somebody else, unless the redirect itself said whom to log in as.
func (p *Policy) continues(r dialect.Request, named []dialect.Subject, trail dialect.Inquiry, o occasion) bool {
	if trail.Dialect != dialect.MobileConfig && dialect.OpensPage(r) {
		return false
	}
	return len(named) == 0 || len(p.bindings(named, o)) > 0 || slices.ContainsFunc(named, func(s dialect.Subject) bool {
		return slices.ContainsFunc(trail.Subjects, func(t dialect.Subject) bool { return t.Domain == s.Domain })
	})
}

// Pursue reports whether an answer to a request that was planned by Follow sends the client on. The plan is then that of a discovery exchange, and the answer
// is one for Judge.
func (p *Policy) Pursue(plan *Plan, a dialect.Answer) bool {
	if plan.Step != Watch || plan.trail == nil || !dialect.IsRedirect(a) {
		return false
	}
	p.become(plan, dialect.Inquiry{Dialect: plan.trail.Dialect, Subjects: plan.followed(dialect.Carriers(plan.Inquiry.Request)), Request: plan.Inquiry.Request})
	return true
}

// answered reports whether an answer is one to the question that the trail began with: less than by what an answer is known anywhere makes it that to a client which was sent for one. What
// a WebDAV client reads behind the well-known place are its calendars, whole.
func (plan *Plan) answered(a dialect.Answer) (dialect.Inquiry, bool) {
	if plan.trail == nil || plan.trail.Dialect == dialect.DAV {
		return dialect.Inquiry{}, false
	}
	r := plan.Inquiry.Request
	q := dialect.Inquiry{Dialect: plan.trail.Dialect, Subjects: dialect.Carriers(r), Request: r}
	return q, dialect.Answers(q, a)
}

// Matters reports whether an answer has to be seen whole, whatever it begins like: readers of a clientConfig take a page for one, and of JSON with something
// behind it, which may be a stream, a reader can end with the first value.
func (plan *Plan) Matters() bool {
	if plan.Step != Watch || plan.trail == nil {
		return false
	}
	switch plan.trail.Dialect {
	case dialect.Autoconfig, dialect.V2, dialect.JMAP, dialect.PACC, dialect.Autodetect, dialect.Identity:
		return true
	default:
		return false
	}
}

// followed adds whom the trail is about, in front: an answer that repeats an address repeats that one.
func (plan *Plan) followed(subjects []dialect.Subject) []dialect.Subject {
	if plan.trail == nil {
		return subjects
	}
	return slices.Concat(plan.trail.Subjects, subjects)
}

// become makes the plan of a watched request that of a discovery exchange.
func (p *Policy) become(plan *Plan, q dialect.Inquiry) {
	plan.occasion.dialect = q.Dialect
	plan.Step, plan.Inquiry = Forward, q
	plan.bindings = enforced(p.bindings(q.Subjects, plan.occasion))
	plan.Guarded = len(plan.bindings) > 0
	c := credentials(q.Request)
	c.Forwarded = c.Present
	plan.Decision = Decision{Dialect: q.Dialect, Subjects: domains(q.Subjects), Credentials: c}
	plan.Decision.name(plan.bindings)
}
