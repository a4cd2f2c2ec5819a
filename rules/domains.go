package rules

import (
	"slices"
	"strings"

	"autodiscover-guard/rules/reserved"
)

// Domain is a mail domain that some rule guards, for whoever has to say beforehand what an account of it may be told (a name server, a packet
// filter). The zero Domain allows nothing.
type Domain struct {
	// Name is canonical. Below says that everything below it is meant, and not the name itself; otherwise the name is meant, and where it is
	// reserved everything below it as well.
	Name  string
	Below bool
	// Rule is the name of the rule that applies.
	Rule string
	// Nature is that of the reserved name that Name is or lies below; zero where none is reserved.
	Nature reserved.Nature
	// BuiltIn says that no operator's rule applies.
	BuiltIn bool
	// Empty says that no host at all may be named.
	Empty bool

	binding binding
}

// Allows reports whether host may be named to an account of the domain.
func (d Domain) Allows(host string) bool { return d.binding.allows(reserved.Canonical(host)) }

// Domains lists the reserved names and the domains of the operator's rules, sorted, each with what may be named to it. A rule that only
// monitors, that has ended, or that is for certain clients, services or dialects guards nothing here, unless from is one of the clients.
func (p *Policy) Domains(from From) []Domain {
	var all []Domain
	add := func(name string, below bool) {
		probe := name
		if below {
			probe = "any." + name
		}
		b, ok := p.bind(probe, ruleContext{dialect: noDialect, from: from})
		if !ok || b.monitors() {
			return
		}
		d := Domain{Name: name, Below: below, Rule: b.rule, Nature: b.entry.Nature, BuiltIn: b.operator == nil, binding: b}
		d.Empty = !b.namesAnybody()
		all = append(all, d)
	}
	for _, name := range p.reserved.Names() {
		add(name, false)
	}
	for _, r := range p.rules {
		for _, d := range r.domains {
			add(d.base, d.below)
		}
	}
	slices.SortFunc(all, func(a, b Domain) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 || a.Below == b.Below {
			return c
		}
		if b.Below {
			return -1
		}
		return 1
	})
	return slices.CompactFunc(all, func(a, b Domain) bool { return a.Name == b.Name && a.Below == b.Below })
}
