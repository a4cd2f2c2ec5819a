package rules

import "strings"

// domainIndex finds the rules of a domain in as many look-ups as the domain has labels, however many rules there are.
type domainIndex struct {
	exact map[string][]*rule // by the domain itself
	below map[string][]*rule // by a domain above it
}

func newDomainIndex() *domainIndex {
	return &domainIndex{exact: map[string][]*rule{}, below: map[string][]*rule{}}
}

// add takes a rule in; rules are added in their order.
func (x *domainIndex) add(r *rule) {
	for _, d := range r.domains {
		if d.below {
			x.below[d.base] = append(x.below[d.base], r)
			continue
		}
		x.exact[d.base] = append(x.exact[d.base], r)
	}
}

// find gives the first rule whose domains match and that accepts.
func (x *domainIndex) find(domain string, accept func(*rule) bool) *rule {
	first := firstOf(nil, x.exact[domain], accept)
	for parent := range parents(domain) {
		first = firstOf(first, x.below[parent], accept)
	}
	return first
}

// covering gives the first rule that matches everything that the pattern does and that accepts.
func (x *domainIndex) covering(p Pattern, accept func(*rule) bool) *rule {
	if !p.below {
		return x.find(p.base, accept)
	}
	first := firstOf(nil, x.below[p.base], accept)
	for parent := range parents(p.base) {
		first = firstOf(first, x.below[parent], accept)
	}
	return first
}

func firstOf(best *rule, candidates []*rule, accept func(*rule) bool) *rule {
	for _, r := range candidates {
		if best != nil && best.index <= r.index {
			return best
		}
		if accept(r) {
			return r
		}
	}
	return best
}

// parents yields what stands above a name, label by label.
func parents(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			_, rest, ok := strings.Cut(name, ".")
			if !ok || !yield(rest) {
				return
			}
			name = rest
		}
	}
}
