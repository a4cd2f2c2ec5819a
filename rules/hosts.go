package rules

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

// Hosts is what a policy opens or shuns, as far as host names alone say it: for clients that are told beforehand which hosts concern the
// guard (a PAC file). All names are canonical and sorted.
//
// Below and Except are complete: of the names in them that a host is or is below, the nearest says whether it is opened; addresses never are. BackOff is not, because every public
// suffix makes a back-off host and there are thousands. It holds those below which people have mail domains most, the top-level
// domains of countries with their usual second levels, and what it holds is true: each host autodiscover.SUFFIX is one that [Policy.Shun] shuns.
type Hosts struct {
	// Below are names, each with everything below it.
	Below []string
	// Except are names below them that are left closed, each with everything below it.
	Except []string
	// BackOff are suffixes for which the one host autodiscover.SUFFIX is never dialled.
	BackOff []string
}

// Hosts lists what the policy opens or shuns. The caller owns the lists.
func (p *Policy) Hosts() Hosts {
	var h Hosts
	for _, name := range p.Scope() {
		if !p.opensBelow(name) {
			h.Below = append(h.Below, name)
		}
	}
	for _, name := range p.close {
		if p.opensBelow(name) {
			h.Except = append(h.Except, name)
		}
	}
	for _, suffix := range backOffSuffixes() {
		if !p.Opens("autodiscover." + suffix) {
			h.BackOff = append(h.BackOff, suffix)
		}
	}
	return h
}

// opensBelow reports whether name would be opened if nothing were said of just this one.
func (p *Policy) opensBelow(name string) bool {
	_, above, _ := strings.Cut(name, ".")
	return p.Opens(above)
}

// DiscoveryPath is where clients look for settings at a host whose first label is this one, and which serves nothing but discovery for the domain behind it, such
// as autodiscover.example.net. It is empty for any other label.
func DiscoveryPath(label string) string {
	switch label {
	case "autodiscover":
		return "/autodiscover/autodiscover.xml"
	case "autoconfig":
		return "/mail/config-v1.1.xml"
	case "ua-auto-config":
		return "/.well-known/mail-v1.xml"
	}
	return ""
}

// backOffSuffixes are the public suffixes below which people have mail domains most: every top-level domain of a country, with its usual second
// level, and the generic ones that are old or large. Of the names that Guardicore caught passwords with in 2021 all are among them
// (com.br, com.cn, com.co, es, fr, in, it, sg, uk, xyz, online). The list is taken from the public suffix list itself, so that it never
// names what that does not.
var backOffSuffixes = sync.OnceValue(func() []string {
	all := slices.Clone(genericTLDs[:])
	for first := 'a'; first <= 'z'; first++ {
		for second := 'a'; second <= 'z'; second++ {
			country := string([]rune{first, second})
			all = append(all, country)
			for _, label := range secondLevel {
				all = append(all, label+"."+country)
			}
		}
	}
	all = slices.DeleteFunc(all, func(name string) bool {
		suffix, icann := publicsuffix.PublicSuffix(name)
		return !icann || suffix != name
	})
	slices.Sort(all)
	return slices.Compact(all)
})

// secondLevel are the labels by which countries sort names into kinds.
var secondLevel = [...]string{"com", "co", "net", "org", "edu", "ac"}

// genericTLDs are those of before 2012, and the largest of those since.
var genericTLDs = [...]string{
	"aero", "app", "arpa", "asia", "biz", "blog", "cat", "cloud", "club", "com", "coop", "dev", "edu", "email", "fun",
	"gov", "info", "int", "jobs", "life", "live", "mil", "mobi", "museum", "name", "net", "online", "org", "page",
	"pro", "shop", "site", "space", "store", "studio", "tech", "tel", "top", "travel", "vip", "website", "work", "world",
	"xn--p1ai", "xyz", "zone",
}
