package rules

import (
	"slices"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// Step says what to do with a request.
type Step uint8

// The steps. The zero Step is invalid and must be treated like Refuse.
const (
	_ Step = iota
	// Refuse answers with Plan.Decision.Answer; upstream is not asked.
	Refuse
	// Scrub sends the request without its secrets: with Plan.Header and Plan.Query in place of its own.
	Scrub
	// Reply answers with Plan.Decision.Answer, which was composed from the rule's own servers; upstream is not asked.
	Reply
	// Forward sends the request on, with Plan.Header in place of its own where that is not nil, and judges the answer.
	Forward
	// Watch sends the request on untouched: it does not look like discovery, but it is about somebody guarded. The answer goes to
	// Policy.Sniff, if dialect.MayBeDiscovery says that it could be discovery after all.
	Watch
	// Ignore sends the request on untouched and does not look at the answer: it is not discovery.
	Ignore
)

var stepNames = [...]string{"invalid", "refuse", "scrub", "reply", "forward", "watch", "ignore"}

func (s Step) String() string { return enumName(stepNames[:], int(s)) }

// Plan is what the policy says of a request before anybody is dialled. It belongs to the exchange that it was made for.
type Plan struct {
	Step    Step
	Inquiry dialect.Inquiry
	// Guarded reports that a rule applies: whatever cannot be decided must then be refused.
	Guarded bool
	// Header and Query are what goes upstream where Step is Scrub; for Forward a nil Header means: as the client sent it.
	Header dialect.Header
	Query  string
	// Decision is final where Step is Refuse or Reply. Otherwise it holds what is known so far, without an action.
	Decision Decision

	bindings    []binding
	ruleContext ruleContext
	// referrer is the inquiry whose answer sent the client here; nil where none is known.
	referrer *dialect.Inquiry
	// placeholder is the inquiry as it came, where it names an account that a client makes up; nil for all others.
	placeholder *dialect.Inquiry
	// strict is the plan as if rules that only monitor were enforced; nil where there are none.
	strict *Plan
}

// Plan decides on a request before anybody is dialled:
//
//	not discovery, nobody guarded                  → Ignore
//	not discovery, at the discovery host of a domain to which nobody may be named → Refuse
//	not discovery, somebody guarded                → Watch
//	a PROPFIND for calendars at no published place → Watch where the asked host is in the set, else planned as discovery
//	a back-off host, whatever and whoever it is about → Refuse
//	nobody guarded                                 → Forward
//	guarded, the rule answers by itself            → Reply, or Forward where its own server is the one that is asked
//	guarded, the asked host is in the set          → Forward, credentials included
//	guarded, the asked host is a central service   → Scrub, or Refuse where the body may hold a secret
//	guarded, any other host                        → Refuse
//
// A question in the name of an account that its client makes up is planned without it; see [Policy.planPlaceholder].
//
// A rule's own word about upstream comes before the last two lines. Rules that only monitor count as if nobody were guarded.
func (p *Policy) Plan(r dialect.Request, from From) Plan {
	q, ok := dialect.Recognise(r)
	if !ok {
		return p.watch(r, from)
	}
	return p.planFor(q, from)
}

// planFor plans for a discovery request that is about the inquiry's subjects.
func (p *Policy) planFor(q dialect.Inquiry, from From) Plan {
	if plan, ok := p.planPlaceholder(q, from); ok {
		return plan
	}
	return p.planNamed(q, from)
}

// planNamed is planFor for everybody whom the question names.
func (p *Policy) planNamed(q dialect.Inquiry, from From) Plan {
	rc := ruleContext{q.Dialect, reserved.Canonical(q.Request.Host()), from}
	all := p.bindings(q.Subjects, rc)
	binding := enforced(all)
	plan := p.plan(q, binding, rc)
	if len(binding) < len(all) {
		strict := p.plan(q, all, rc)
		plan.strict = &strict
		plan.Decision.setWould(strict.Decision)
		if plan.Step == Forward && scrubsAnyway(all) && !allowed(all, rc.host) {
			plan.scrub(q.Request)
		}
	}
	return plan
}

// scrubsAnyway reports whether a rule that only monitors says explicitly that secrets are taken out all the same.
func scrubsAnyway(all []binding) bool {
	for _, b := range all {
		if b.monitors() && b.asking() == AskScrubbed {
			return true
		}
	}
	return false
}

// plan decides for the given rules.
func (p *Policy) plan(q dialect.Inquiry, bindings []binding, rc ruleContext) Plan {
	r := q.Request
	plan := Plan{Inquiry: q, bindings: bindings, ruleContext: rc, Guarded: len(bindings) > 0}
	plan.Decision = Decision{Dialect: q.Dialect, Subjects: domains(q.Subjects), Credentials: credentials(r)}
	plan.Decision.setRule(plan.bindings)
	switch {
	case p.backOff(rc.host):
		plan.Guarded = true
		if plan.Decision.Rule == "" {
			plan.Decision.Rule = RuleBackOff
		}
		plan.refuse(reasonBackOff)
	case len(plan.bindings) > maxGuarded:
		plan.refuse(reasonMany)
	case !plan.Guarded:
		plan.Step = Forward
		plan.Decision.Credentials.Forwarded = plan.Decision.Credentials.Present
	case answersLocally(plan.bindings):
		plan.reply()
	case allowed(plan.bindings, rc.host):
		plan.forward()
	case mayAsk(plan.bindings, rc.host) && !q.SecretFree():
		plan.refuse("the question may hold secrets in its body, and the asked host is outside the rule")
	case mayAsk(plan.bindings, rc.host):
		plan.scrub(r)
	default:
		plan.refuse(outside(plan.bindings))
		plan.sendElsewhere()
	}
	return plan
}

// outside says why a host that is not in the set is not asked.
func outside(all []binding) string {
	if slices.ContainsFunc(all, binding.namesAnybody) {
		return "the asked host is outside the rule"
	}
	return "no host may be named to the domain, and the asked host is none of its own"
}

// mayAsk reports whether a host outside the set may be asked, without secrets: each rule must agree.
func mayAsk(all []binding, host string) bool {
	central := dialect.IsCentral(host)
	for _, b := range all {
		if a := b.asking(); a == AskNever || a == AskDefault && !central {
			return false
		}
	}
	return true
}

// forward sends the question of somebody guarded to a host in the set.
func (plan *Plan) forward() {
	plan.Step, plan.Header = Forward, unconditional(plan.Inquiry.Request.Header)
	plan.Decision.Credentials.Forwarded = plan.Decision.Credentials.Present
}

func (plan *Plan) scrub(r dialect.Request) {
	plan.Step, plan.Header, plan.Query = Scrub, scrubHeader(r.Header), scrubQuery(r.URL.RawQuery)
	plan.Decision.Credentials.Forwarded = false
}

// watch plans for a request that does not look like discovery.
func (p *Policy) watch(r dialect.Request, from From) Plan {
	if d, shunned := p.Shun(r.Host()); shunned {
		plan := Plan{Guarded: true, Inquiry: dialect.Inquiry{Request: r}, Decision: d}
		plan.refuse(reasonBackOff)
		return plan
	}
	rc := ruleContext{host: reserved.Canonical(r.Host()), from: from}
	subjects := dialect.CarrierSubjects(r)
	if len(p.bindings(subjects, rc)) == 0 {
		return Plan{Step: Ignore}
	}
	if b, ok := p.nobodysDiscovery(rc); ok {
		plan := Plan{Guarded: true, Inquiry: dialect.Inquiry{Request: r}, ruleContext: rc}
		plan.Decision = Decision{Subjects: domains(subjects), Credentials: credentials(r)}
		plan.Decision.setRule([]binding{b})
		plan.refuse(outside([]binding{b}))
		return plan
	}
	if q, ok := dialect.RecognisePropfind(r); ok && p.outside(q, from) {
		return p.planFor(q, from)
	}
	return Plan{Step: Watch, Inquiry: dialect.Inquiry{Request: r}, ruleContext: rc}
}

// nobodysDiscovery reports whether the asked host is the discovery host of a domain to which nobody may be named, and by which rule. It is none of the domain's own then, whatever it is
// asked for: a client that has a place of its own there, and the password with it, is not sent to whoever answers. Rules for certain dialects say nothing of such a place.
func (p *Policy) nobodysDiscovery(rc ruleContext) (binding, bool) {
	domain, ok := dialect.DiscoveryDomain(rc.host)
	if !ok || dialect.IsCentral(rc.host) {
		return binding{}, false
	}
	rc.dialect = noDialect
	b, ok := p.bind(domain, rc)
	return b, ok && !b.monitors() && !b.namesAnybody()
}

// outside reports whether somebody guarded asks a host that is not in the set; where rules only monitor, in theirs. Inside, a question of no published place is not the
// domain's to answer: its own server is asked, whatever a rule has servers for.
func (p *Policy) outside(q dialect.Inquiry, from From) bool {
	host := reserved.Canonical(q.Request.Host())
	all := p.bindings(q.Subjects, ruleContext{q.Dialect, host, from})
	if enforcing := enforced(all); len(enforcing) > 0 {
		all = enforcing
	}
	return !allowed(all, host)
}

// Sniff decides on the answer to a question that was only watched. ok is false where it is no discovery answer: it passes, without a record.
// Otherwise the plan becomes that of a discovery exchange, and the decision is final.
func (p *Policy) Sniff(plan *Plan, a dialect.Answer) (d Decision, ok bool) {
	if plan.Step != Watch {
		return Decision{}, false
	}
	q, ok := dialect.Sniff(plan.Inquiry.Request, a)
	if !ok || q.Dialect == dialect.Suspected {
		if answer, mine := plan.answersReferrer(a); mine {
			q, ok = answer, true
		}
	}
	if !ok {
		return Decision{}, false
	}
	q.Subjects = plan.withReferrer(q.Subjects)
	p.promote(plan, q)
	d = p.Judge(plan, a)
	if q.Dialect == dialect.Suspected && !p.suspected {
		d.revertRefusal()
	}
	return d, true
}

// Suspects reports whether answers that only read like discovery, of no dialect that is known, are refused too: then each must be seen whole.
func (p *Policy) Suspects() bool { return p.suspected }

// Shun says what happens to a connection to a host that is never dialled, whoever asks: clients make such names up when every real host
// failed. ok is false for all other hosts.
func (p *Policy) Shun(host string) (d Decision, ok bool) {
	if !p.backOff(reserved.Canonical(host)) {
		return Decision{}, false
	}
	return Decision{Action: ActionRefuse, Rule: RuleBackOff, Reason: reasonBackOff}, true
}

const reasonBackOff = "the asked host is what clients make up when every real one failed; its owner is a stranger"

func (plan *Plan) refuse(reason string) {
	plan.Step = Refuse
	plan.Decision.refuse(plan.Inquiry, reason)
}

// Unanswered decides where there is no answer to judge: upstream failed, its answer is over a limit, something panicked. reason must not
// contain anything of the exchange. It refuses what is guarded and passes (whatever the caller then says) what is not.
func (p *Policy) Unanswered(plan *Plan, reason string) Decision {
	d := plan.Decision
	if plan.strict != nil {
		d.Would = ActionRefuse
	}
	if plan.Guarded || plan.Step == Refuse || plan.Step == 0 {
		d.refuse(plan.Inquiry, reason)
		if plan.failsAlone() || isDatabases(plan.Inquiry, plan.bindings) {
			d.Answer = dialect.Elsewhere(plan.Inquiry)
		}
		return d
	}
	d.Action, d.Reason = ActionPass, reason
	return d
}

// domains lists the mail domains of subjects, each once.
func domains(subjects []dialect.Subject) []string {
	var all []string
	var seen domainSet
	for i, s := range subjects {
		if !seen.have(subjects[:i], s.Domain) {
			all = append(all, s.Domain)
		}
	}
	return all
}
