package rules

import (
	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// Config is what an operator says. The zero Config is the built-in policy.
type Config struct {
	// Reserved are the reserved names; nil means reserved.Default.
	Reserved *reserved.Set
	// Services switches central services by name; what is not named keeps its default (dialect.Service.Enforced).
	Services map[string]Mode
	// Open are further hosts to open: each stands for itself and everything below it.
	Open []string
}

// Policy decides. It is immutable and safe for concurrent use.
type Policy struct{}

type binding struct{}

// New checks a configuration and makes a policy of it.
func New(c Config) (*Policy, error) { panic("todo") }

// Opens reports whether traffic to host is to be decrypted: it is, or may become, a discovery exchange of ours.
func (p *Policy) Opens(host string) bool { panic("todo") }

// Scope lists the DNS names (each with everything below it) that Opens can ever accept: what the authority must be able to sign for, and
// may be constrained to.
func (p *Policy) Scope() []string { panic("todo") }

// Plan decides on a request before anybody is dialled.
func (p *Policy) Plan(r dialect.Request) Plan { panic("todo") }

// Judge decides on upstream's answer. The plan must come from the same policy.
func (p *Policy) Judge(plan Plan, a dialect.Answer) Decision { panic("todo") }

// Unanswered decides where there is no answer to judge: upstream failed, its answer is over a limit, something panicked. It refuses what
// is guarded and passes (whatever the caller then says) what is not.
func (p *Policy) Unanswered(plan Plan, reason string) Decision { panic("todo") }
