package rules

import (
	"autodiscover-guard/rules/dialect"
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
	// Forward sends the request on, with Plan.Header in place of its own where that is not nil, and judges the answer.
	Forward
	// Ignore sends the request on untouched and does not look at the answer: it is not discovery.
	Ignore
)

var stepNames = [...]string{"invalid", "refuse", "scrub", "forward", "ignore"}

func (s Step) String() string {
	if int(s) >= len(stepNames) {
		s = 0
	}
	return stepNames[s]
}

// Plan is what the policy says of a request before anybody is dialled. It belongs to the exchange that it was made for.
type Plan struct {
	Step    Step
	Inquiry dialect.Inquiry
	// Guarded reports that a rule applies: whatever cannot be decided must then be refused.
	Guarded bool
	// Header and Query are what goes upstream where Step is Scrub; for Forward a nil Header means: as the client sent it.
	Header dialect.Header
	Query  string
	// Decision is final where Step is Refuse. Otherwise it holds what is known so far, without an action.
	Decision Decision

	bindings []binding
}

// Credentials says what secrets a request carried and whether they went on; never what they were.
type Credentials struct {
	Present bool
	// Scheme is the authentication scheme, lower case (basic, bearer, ntlm …), or the carrier (cookie, query).
	Scheme    string
	Forwarded bool
}
