package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// Config is what an operator says. The zero Config is the built-in policy.
type Config struct {
	// Reserved are the reserved names; nil means reserved.Default.
	Reserved *reserved.Set
	// Services switches central services by name (dialect.Service); what is not named keeps its default.
	Services map[string]Mode
	// Open are further hosts to open: each stands for itself and everything below it.
	Open []string
	// Close are hosts that stay closed although they lie below one that is opened: each stands for itself and everything below it, but for what lies below
	// a nearer name of those that are opened.
	Close []string
	// Rules are the operator's, in the order in which they are asked; the built-in ones follow. Their domains are opened.
	Rules []Rule
}

// Mode is how far a service or a rule goes.
type Mode uint8

// The modes. The zero Mode is invalid.
const (
	_ Mode = iota
	// Off opens nothing.
	Off
	// Enforce acts.
	Enforce
	// Monitor only records what a rule would do. A service cannot be in this mode: whether it acts depends on the rules.
	Monitor
)

var modeNames = [...]string{"invalid", "off", "enforce", "monitor"}

func (m Mode) String() string { return enumName(modeNames[:], int(m)) }

// Policy decides. It is immutable and safe for concurrent use.
type Policy struct {
	reserved *reserved.Set
	// suspected: answers that only read like discovery are refused, too.
	suspected bool
	open      []string            // hosts to open beside the reserved ones, sorted
	opened    map[string]struct{} // the same, for look-ups
	close     []string            // hosts to leave closed, sorted
	closed    map[string]struct{} // the same, for look-ups
	rules     []*rule
	index     *domainIndex
	revision  string
}

// New checks a configuration and makes a policy of it. Errors say what was read and what would be right; for Config.Rules they join a
// *[RuleError] for every mistake.
func New(c Config) (*Policy, error) {
	p := &Policy{reserved: c.Reserved}
	if p.reserved == nil {
		p.reserved = reserved.Default()
	}
	modes := maps.Clone(c.Services)
	for _, info := range dialect.All() {
		for _, s := range info.Services {
			mode, said := modes[s.Name]
			if mode == Enforce || !said && s.Enforced {
				p.open = append(p.open, s.Hosts...)
				p.suspected = p.suspected || info.ID == dialect.Suspected
			}
			if said && mode != Enforce && mode != Off {
				return nil, fmt.Errorf("service %q has no valid mode: want enforce or off", s.Name)
			}
			delete(modes, s.Name)
		}
	}
	for name := range modes {
		return nil, fmt.Errorf("unknown service %q: want one of %s", name, strings.Join(ServiceNames(), ", "))
	}
	for _, raw := range c.Open {
		host, err := singleHost(raw, "opened")
		if err != nil {
			return nil, err
		}
		p.open = append(p.open, host)
	}
	rules, index, err := checkRules(c.Rules)
	if err != nil {
		return nil, err
	}
	p.rules, p.index = rules, index
	for _, r := range rules {
		for _, d := range r.domains {
			p.open = append(p.open, d.base)
		}
	}
	p.open, p.opened = asSet(p.open)
	for _, raw := range c.Close {
		host, err := singleHost(raw, "closed")
		if err != nil {
			return nil, err
		}
		if _, both := p.opened[host]; both || slices.Contains(p.reserved.Names(), host) {
			return nil, fmt.Errorf("%q cannot be closed: it is what is opened itself; name a host below it, such as intranet.%s, or switch off the service that it belongs to", raw, host)
		}
		p.close = append(p.close, host)
	}
	p.close, p.closed = asSet(p.close)
	p.revision = p.fingerprint()
	return p, nil
}

// ServiceNames lists the central services that a configuration can switch.
func ServiceNames() []string {
	var names []string
	for _, info := range dialect.All() {
		for _, s := range info.Services {
			names = append(names, s.Name)
		}
	}
	return names
}

// asSet sorts names, and has them for look-ups, too.
func asSet(names []string) ([]string, map[string]struct{}) {
	slices.Sort(names)
	names = slices.Compact(names)
	set := make(map[string]struct{}, len(names))
	for _, name := range names {
		set[name] = struct{}{}
	}
	return names, set
}

// singleHost checks one entry of Config.Open or Config.Close.
func singleHost(raw, what string) (string, error) {
	host := reserved.Canonical(raw)
	suffix, _ := publicSuffix(host)
	switch {
	case host == "" || strings.ContainsAny(raw, "/:@* \t") || reserved.IsAddress(host):
		return "", fmt.Errorf("%q cannot be %s: want a host name such as autodiscover.hoster.net, without scheme, port or wildcard", raw, what)
	case suffix == host:
		return "", fmt.Errorf("%q cannot be %s: it stands for everybody's hosts below it; name the host, such as mail.example.%s", raw, what, host)
	}
	return host, nil
}

// Opens reports whether traffic to host is to be decrypted: it is, or may become, a discovery exchange of ours. Of the names above it that are opened or
// closed, the nearest counts.
func (p *Policy) Opens(host string) bool {
	host = reserved.Canonical(host)
	if opens, listed := p.nearestEntry(host); listed {
		return opens
	}
	_, ok := p.reserved.Match(host)
	return ok
}

// Closes reports whether host is not opened because Config.Close has it, or a name above it.
func (p *Policy) Closes(host string) bool {
	opens, listed := p.nearestEntry(reserved.Canonical(host))
	return listed && !opens
}

// nearestEntry looks up the nearest name at or above host that is opened or closed; listed is false where there is none.
func (p *Policy) nearestEntry(host string) (opens, listed bool) {
	if opens, listed = p.exactEntry(host); listed {
		return opens, true
	}
	for parent := range parents(host) {
		if opens, listed = p.exactEntry(parent); listed {
			return opens, true
		}
	}
	return false, false
}

func (p *Policy) exactEntry(name string) (opens, listed bool) {
	if _, opens = p.opened[name]; opens {
		return true, true
	}
	_, listed = p.closed[name]
	return false, listed
}

// Scope lists the DNS names (each with everything below it) that Opens can ever accept: what the authority must be able to sign for, and
// may be constrained to.
func (p *Policy) Scope() []string {
	names := append(p.reserved.Names(), p.open...)
	slices.Sort(names)
	return slices.Compact(names)
}

// Revision identifies the policy in decision records: equal policies have equal revisions.
func (p *Policy) Revision() string { return p.revision }
