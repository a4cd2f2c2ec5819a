package rules

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// Names of the built-in rules, as decisions and records have them; any other name is an operator's.
const (
	RuleDocumentation = "documentation"
	RulePrivateUse    = "private-use"
	RuleBackOff       = "back-off"
)

// binding is the rule of one subject: the set of hosts that may be named to it. The zero binding allows nothing.
type binding struct {
	rule      string
	domain    string
	entry     reserved.Entry
	otherwise Otherwise
	// operator is the operator's rule, nil where a built-in one applies.
	operator *rule
	// own is the domain that may be named, with everything below it; "" for none.
	own string
	// private lets private addresses be named.
	private bool
}

// ruleContext is what decides, beside the domain, which rule applies.
type ruleContext struct {
	dialect dialect.ID // None where it is not known yet: then no rule is left out for it
	host    string     // the asked host
	from    From
}

// noDialect is none that a rule can be for: rules for certain dialects do not apply.
const noDialect = ^dialect.None

// bind finds the rule of a domain: the operator's first one that applies, else a built-in one.
func (p *Policy) bind(domain string, rc ruleContext) (binding, bool) {
	entry, ok := p.reserved.MatchSubject(domain)
	if len(p.rules) > 0 {
		if r := p.index.find(domain, func(r *rule) bool { return r.applies(rc) }); r != nil {
			return binding{rule: r.Name, domain: domain, entry: entry, otherwise: r.Otherwise, operator: r}, true
		}
	}
	if !ok {
		return binding{}, false
	}
	b := binding{rule: RuleDocumentation, domain: domain, entry: entry, otherwise: Block}
	if entry.Nature == reserved.PrivateUse {
		b.rule, b.otherwise, b.private = RulePrivateUse, RemoveStrangers, true
		b.own = ownDomain(domain, entry.Name)
	}
	return b, true
}

// bindings finds the rules of all guarded subjects, each domain once.
func (p *Policy) bindings(subjects []dialect.Subject, rc ruleContext) []binding {
	var all []binding
	var seen domainSet
	for i, s := range subjects {
		if seen.have(subjects[:i], s.Domain) {
			continue
		}
		if b, ok := p.bind(s.Domain, rc); ok {
			all = append(all, b)
		}
	}
	return withoutDirectoryDomains(all, subjects)
}

// withoutDirectoryDomains leaves out private-use domains that only a log-in names, where an operator's rule says what the account is told: Active Directory domains have such
// names (CORP.LOCAL\user, user@corp.local for user@corp.example.net), which say nothing about mail. An exchange about more than maxGuarded is refused
// with or without them, and to look each up among as many subjects would take seconds.
func withoutDirectoryDomains(all []binding, subjects []dialect.Subject) []binding {
	if len(all) < 2 || len(all) > maxGuarded || !slices.ContainsFunc(all, func(b binding) bool { return b.operator != nil }) {
		return all
	}
	return slices.DeleteFunc(all, func(b binding) bool {
		return b.rule == RulePrivateUse && !slices.ContainsFunc(subjects, func(s dialect.Subject) bool { return s.Domain == b.domain && s.Carrier != dialect.CarrierLogin })
	})
}

// maxGuarded is how many guarded domains one exchange may be about: each host is judged for each of them. Exchange takes 100 users in a question.
const maxGuarded = 256

const reasonMany = "the exchange is about more guarded domains than anybody asks about at once"

// domainSet finds domains that stand twice among subjects.
type domainSet map[string]struct{}

// fewSubjects are looked through one by one, which costs no memory. Nearly all exchanges have one or two.
const fewSubjects = 16

// have reports whether one of the subjects before has the domain.
func (set *domainSet) have(before []dialect.Subject, domain string) bool {
	if len(before) < fewSubjects {
		for _, s := range before {
			if s.Domain == domain {
				return true
			}
		}
		return false
	}
	if *set == nil {
		*set = make(domainSet, 2*fewSubjects)
		for _, s := range before {
			(*set)[s.Domain] = struct{}{}
		}
	}
	_, twice := (*set)[domain]
	(*set)[domain] = struct{}{}
	return twice
}

// ownDomain is what belongs to the owner of domain where reservedName is what is reserved above it: the label below the reserved name, as
// with any registry. lab.test owns mail.lab.test and eu.lab.test; the bare name "test" owns all of it.
func ownDomain(domain, reservedName string) string {
	rest, ok := strings.CutSuffix(domain, "."+reservedName)
	if !ok {
		return domain
	}
	return rest[strings.LastIndexByte(rest, '.')+1:] + "." + reservedName
}

// allows reports whether host may be named to the subject. An empty host is one that could not be read: a stranger.
func (b binding) allows(host string) bool {
	if host == "" {
		return false
	}
	if b.operator != nil {
		return b.operator.allows(host)
	}
	if b.own != "" && reserved.Below(host, b.own) {
		return true
	}
	return b.private && isPrivate(host)
}

// allowsSuggestion reports whether the subject may be given a suggestion. An address in the mail domain of an operator's rule names no server, and who asks about it next is under
// the same rule: Exchange repeats the account's in each answer, and calls a mailbox's server GUID@DOMAIN, where DOMAIN itself may be a web site at somebody else's.
func (b binding) allowsSuggestion(s dialect.Suggestion) bool {
	return b.allows(s.Host) || s.Kind == dialect.KindAddress && b.operator != nil && s.Host == b.domain
}

// namesAnybody reports whether there is a host that may be named to the subject.
func (b binding) namesAnybody() bool {
	return b.own != "" || b.private || b.operator != nil && len(b.operator.allow) > 0
}

// blocks reports whether a stranger costs the whole answer.
func (b binding) blocks() bool { return b.otherwise != RemoveStrangers && b.otherwise != Rewrite }

// asking is what the rule says about asking hosts outside the set.
func (b binding) asking() Asking {
	if b.operator == nil {
		return AskDefault
	}
	return b.operator.Upstream
}

// monitors reports whether the rule only records.
func (b binding) monitors() bool { return b.operator != nil && b.operator.Mode == Monitor }

// enforced leaves out the rules that only record.
func enforced(all []binding) []binding {
	for i, b := range all {
		if !b.monitors() {
			continue
		}
		kept := append([]binding(nil), all[:i]...)
		for _, b := range all[i+1:] {
			if !b.monitors() {
				kept = append(kept, b)
			}
		}
		return kept
	}
	return all
}

// isPrivate reports whether host is an address, or the name of one (RFC 6761, section 6.3), that no stranger can have.
func isPrivate(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, ok := reserved.ParseAddr(host)
	return ok && reserved.PrivateAddr(addr)
}

// allowed reports whether host may be named to all of them. Nobody means: nobody objects.
func allowed(all []binding, host string) bool {
	for _, b := range all {
		if !b.allows(host) {
			return false
		}
	}
	return true
}

// backOff reports whether host is what clients make of an address after every real host failed: autodiscover.com for user@shop.com, that
// is "autodiscover" before a public suffix or before a reserved top-level name. Whoever owns such a name collects the world's passwords
// (Guardicore, September 2021), so it is never dialled.
func (p *Policy) backOff(host string) bool {
	rest, ok := strings.CutPrefix(host, "autodiscover.")
	if !ok {
		return false
	}
	if suffix, icann := publicsuffix.PublicSuffix(rest); icann && suffix == rest {
		return true
	}
	_, ok = p.reserved.Match(rest)
	return ok && !strings.Contains(rest, ".") // a name of one label is reserved itself
}
