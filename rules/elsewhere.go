package rules

import (
	"slices"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// Look-ups ask one place after another, and the servers of a domain's own need not be known at the first: it is a company's web site, or not there at all. What that place does not have is
// said of it alone, so that the client comes to the others. Where no host may be named to somebody, there is nothing to come to, and the quiet end comes at once.

// sendElsewhere makes the refusal of a host that is not asked, because it is outside the set, one of that place alone.
func (plan *Plan) sendElsewhere() {
	if isDatabases(plan.Inquiry, plan.bindings) || !dialect.IsCentral(plan.ruleContext.host) && allNameSomebody(plan.bindings) {
		plan.Decision.Answer = dialect.Elsewhere(plan.Inquiry)
	}
}

// isDatabases reports whether a refusal is the ISPDB's. KDE asks it before the domain's own places, and all others behind them or beside them: whatever it said, it is refused alone. Other
// central services are the whole look-up of those who ask them.
func isDatabases(q dialect.Inquiry, all []binding) bool {
	return q.Dialect == dialect.ISPDB && allNameSomebody(all)
}

func allNameSomebody(all []binding) bool {
	return len(all) > 0 && !slices.ContainsFunc(all, func(b binding) bool { return !b.namesAnybody() })
}

// failsAlone reports whether it is a host of the set that did not answer, or had nothing.
func (plan *Plan) failsAlone() bool {
	return plan.Step == Forward && len(plan.bindings) > 0 && allowed(plan.bindings, reserved.Canonical(plan.Inquiry.Request.Host()))
}

// sendElsewhere does the same where a host of the set answered that it has nothing.
func (j *judgement) sendElsewhere(nothing bool) {
	if nothing && j.plan.failsAlone() {
		j.decision.Answer = dialect.Elsewhere(j.refusalInquiry())
	}
}

// isPage reports whether the answer is empty or a page for people, and so no document of discovery. One that is says something of the account.
func (j *judgement) isPage() bool {
	body := j.answer.Body
	return !dialect.Sniffable(j.answer.Header, body[:min(len(body), dialect.SniffLength)])
}
