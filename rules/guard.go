package rules

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// otherwise is what happens to an answer that names a host outside the set.
type otherwise uint8

const (
	_ otherwise = iota
	// block refuses the whole answer.
	block
	// remove takes out what is outside and keeps the rest.
	remove
)

// Names of the built-in rules.
const (
	ruleDocumentation = "documentation"
	rulePrivateUse    = "private-use"
	ruleBackOff       = "back-off"
)

// binding is the rule of one subject: the set of hosts that may be named to it. The zero binding allows nothing.
type binding struct {
	rule      string
	domain    string
	entry     reserved.Entry
	otherwise otherwise
	// own is the domain that may be named, with everything below it; "" for none.
	own string
	// private lets private addresses be named.
	private bool
}

// bind finds the rule of a domain.
func (p *Policy) bind(domain string) (binding, bool) {
	entry, ok := p.reserved.MatchSubject(domain)
	if !ok {
		return binding{}, false
	}
	b := binding{rule: ruleDocumentation, domain: domain, entry: entry, otherwise: block}
	if entry.Nature == reserved.PrivateUse {
		b.rule, b.otherwise, b.private = rulePrivateUse, remove, true
		b.own = ownDomain(domain, entry.Name)
	}
	return b, true
}

// bindings finds the rules of all guarded subjects, each domain once.
func (p *Policy) bindings(subjects []dialect.Subject) []binding {
	var all []binding
next:
	for _, s := range subjects {
		for _, b := range all {
			if b.domain == s.Domain {
				continue next
			}
		}
		if b, ok := p.bind(s.Domain); ok {
			all = append(all, b)
		}
	}
	return all
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
	if b.own != "" && below(host, b.own) {
		return true
	}
	return b.private && isPrivate(host)
}

// isPrivate reports whether host is an address, or the name of one (RFC 6761, section 6.3), that no stranger can have.
func isPrivate(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && reserved.PrivateAddr(addr)
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
	entry, ok := p.reserved.Match(rest)
	return ok && entry.Name == rest && !strings.Contains(rest, ".")
}

// below reports whether host is name or lies below it, by whole labels. Both are normalised.
func below(host, name string) bool {
	rest, ok := strings.CutSuffix(host, name)
	return ok && (rest == "" || strings.HasSuffix(rest, "."))
}
