package rules

import "autodiscover-guard/rules/dialect"

// A client that asks how to log in before it says for whom names somebody: exchangelib 5.5.1 takes DUMMY@example.com, whatever its user's domain is. Taken for somebody guarded, that would
// cost every user the log-in, at servers of their own. So a host that may be asked otherwise is asked, and may answer that it wants credentials; who has none to give is told nothing by that.
// Any other answer is one about the account that was named.

// planPlaceholder plans for a question about nobody but a placeholder, without any secret. ok is false for any other one, and where the question would not go on as it stands.
func (p *Policy) planPlaceholder(q dialect.Inquiry, from From) (plan Plan, ok bool) {
	without, ok := q.WithoutPlaceholder()
	if !ok || credentials(q.Request).Present {
		return Plan{}, false
	}
	named := q // on the heap only here: every plan comes by
	plan = p.planNamed(without, from)
	plan.Guarded = plan.Guarded || p.planNamed(named, from).Guarded // whatever cannot be decided is refused, as for the account that was named
	plan.placeholder = &named
	return plan, plan.Step == Forward
}

// judgeNamed judges an answer to the question of planPlaceholder that is no challenge.
func (p *Policy) judgeNamed(plan *Plan, a dialect.Answer) Decision {
	named := p.planNamed(*plan.placeholder, plan.ruleContext.from)
	if named.Step == Refuse || named.Step == Reply {
		return named.Decision
	}
	return p.Judge(&named, a)
}
