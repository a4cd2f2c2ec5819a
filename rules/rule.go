package rules

import (
	"net/netip"
	"time"

	"autodiscover-guard/rules/dialect"
)

// Rule says which hosts may be named to accounts of some domains, and what happens to an answer that names others. The zero value of every
// field is the strict one: a Rule with nothing but domains blocks every suggestion.
type Rule struct {
	// Name identifies the rule in records; no two rules share one, and the built-in names are taken.
	Name string
	// Domains are patterns of the mail domains that the rule is for (see [ParsePattern]), at least one.
	Domains []string
	// Clients are the addresses that the rule is for; empty means everybody.
	Clients []netip.Prefix
	// Services are the central services, and Dialects the dialects, in which the rule applies; empty means all. Where both are given
	// both must match.
	Services, Dialects []string
	// Allow are patterns of the hosts that may be named, and to which credentials may go: names, *.names, addresses, CIDR prefixes.
	Allow []string
	// Otherwise is what happens to an answer that names another host.
	Otherwise Otherwise
	// Servers are what is put in the place of strangers (Rewrite) or answered with (AnswerLocal), at most one per protocol. A Username
	// may hold %EMAILADDRESS%, %EMAILLOCALPART% and %EMAILDOMAIN%, the placeholders of Mozilla's format. Host, the host of URL and the domain of Username, if it has one, are
	// allowed ones; the last may be one of Domains, too.
	Servers []dialect.Server
	// Answer says who answers.
	Answer Answering
	// Upstream says what a host outside the set is asked.
	Upstream Asking
	// Mode is Enforce (also where it is zero) or Monitor.
	Mode Mode
	// Until is when the rule stops to apply; the zero time means never.
	Until time.Time
	// Note is for people.
	Note string
}

// Otherwise is what happens to an answer that names a host outside the set.
type Otherwise uint8

// The ways to treat a stranger. The zero value blocks.
const (
	// Block refuses the whole answer.
	Block Otherwise = iota
	// RemoveStrangers takes out what is outside and keeps the rest.
	RemoveStrangers
	// Rewrite puts the rule's own servers, with their ways to log in, in the place of what is outside, protocol by protocol, and takes out the rest of it.
	Rewrite
)

var otherwiseNames = [...]string{"block", "remove", "rewrite"}

func (o Otherwise) String() string { return enumName(otherwiseNames[:], int(o)) }

// Answering says who answers a question about the rule's domains.
type Answering uint8

// The ways to answer. The zero value asks upstream.
const (
	// AnswerUpstream judges what upstream says.
	AnswerUpstream Answering = iota
	// AnswerLocal composes the answer from the rule's servers; nobody is asked but one of them, where the dialect can only send a client to it.
	AnswerLocal
)

var answeringNames = [...]string{"upstream", "local"}

func (a Answering) String() string { return enumName(answeringNames[:], int(a)) }

// Asking says what a host outside the set is asked.
type Asking uint8

// The ways to ask. The zero value asks central services without the client's secrets, and no other host outside the set.
const (
	AskDefault Asking = iota
	// AskScrubbed asks any host, without secrets. In a rule that only monitors it is the explicit word to scrub all the same.
	AskScrubbed
	// AskNever asks no host outside the set.
	AskNever
)

var askingNames = [...]string{"default", "scrubbed", "never"}

func (a Asking) String() string { return enumName(askingNames[:], int(a)) }

// enumName is the name of an enumeration's value, and "invalid" beyond it.
func enumName(names []string, i int) string {
	if i >= len(names) {
		return "invalid"
	}
	return names[i]
}

// From is what the policy takes into account of who asks, and when. The zero From is an unknown client at no time: rules for certain clients
// do not apply to it, and rules that end one day do.
type From struct {
	Client netip.Addr
	At     time.Time
}

// rule is a Rule that was checked, in the form in which it is asked.
type rule struct {
	Rule
	index   int // in the operator's list, from 0
	domains []Pattern
	allow   []Pattern
	// dialects and services are the selectors; nil selects all.
	dialects map[dialect.ID]bool
	services []dialect.Service
}

// applies reports whether the rule applies in this context, leaving aside its domains.
func (r *rule) applies(rc ruleContext) bool {
	if !r.Until.IsZero() && !rc.from.At.IsZero() && !rc.from.At.Before(r.Until) {
		return false
	}
	if len(r.Clients) > 0 && !containsAddr(r.Clients, rc.from.Client) {
		return false
	}
	if r.dialects != nil && rc.dialect != dialect.None && !r.dialects[rc.dialect] {
		return false
	}
	return len(r.services) == 0 || covered(r.services, rc.host)
}

func containsAddr(prefixes []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func covered(services []dialect.Service, host string) bool {
	for _, s := range services {
		if s.Covers(host) {
			return true
		}
	}
	return false
}

// allows reports whether the operator lets a host be named.
func (r *rule) allows(host string) bool {
	for _, p := range r.allow {
		if p.Matches(host) {
			return true
		}
	}
	return false
}
