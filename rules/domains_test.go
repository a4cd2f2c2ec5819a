package rules_test

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/reserved"
)

func TestDomains(t *testing.T) {
	day := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	p, err := rules.New(rules.Config{Rules: []rules.Rule{
		{Name: "pin", Domains: []string{"corp.stranger.net", "*.corp.stranger.net"}, Allow: []string{"*.corp.stranger.net"}},
		{Name: "lab", Domains: []string{"lab.example"}, Allow: []string{"mail.lab.example"}},
		{Name: "closed-to-some", Domains: []string{"closed.stranger.net"}, Clients: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
		{Name: "below", Domains: []string{"*.below.stranger.net"}, Allow: []string{"mail.below.stranger.net"}},
		{Name: "closed", Domains: []string{"closed.stranger.net"}},
		{Name: "watch", Domains: []string{"example.net"}, Mode: rules.Monitor},
		{Name: "ended", Domains: []string{"ended.stranger.net"}, Until: day.Add(-time.Hour)},
		{Name: "some", Domains: []string{"some.stranger.net"}, Clients: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
		{Name: "service", Domains: []string{"service.stranger.net"}, Services: []string{"autodetect"}},
		{Name: "dialect", Domains: []string{"dialect.stranger.net", "dialect.example.org"}, Dialects: []string{"pox"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]rules.Domain{}
	listed := p.Domains(rules.From{At: day})
	if !slices.IsSortedFunc(listed, func(a, b rules.Domain) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), map[bool]int{true: 1}[a.Below]-map[bool]int{true: 1}[b.Below])
	}) {
		t.Error("not sorted by name, the name itself before what is below it")
	}
	for _, d := range listed {
		key := d.Name
		if d.Below {
			key = "*." + key
		}
		if _, twice := got[key]; twice {
			t.Errorf("%s is listed twice", key)
		}
		got[key] = d
	}
	for _, c := range []struct {
		name, rule     string
		nature         reserved.Nature
		builtIn, empty bool
		allows, denies string
	}{
		{"example.com", "documentation", reserved.Documentation, true, true, "", "mail.example.com"},
		{"invalid", "documentation", reserved.Documentation, true, true, "", "invalid"},
		{"test", "private-use", reserved.PrivateUse, true, false, "mail.test", "mail.stranger.net"},
		{"corp.stranger.net", "pin", 0, false, false, "IMAP.corp.stranger.net.", "corp.stranger.net"},
		{"*.corp.stranger.net", "pin", 0, false, false, "imap.corp.stranger.net", "imap.stranger.net"},
		{"lab.example", "lab", reserved.Documentation, false, false, "mail.lab.example", "imap.lab.example"},
		{"*.below.stranger.net", "below", 0, false, false, "mail.below.stranger.net", "below.stranger.net"},
		{"closed.stranger.net", "closed", 0, false, true, "", "closed.stranger.net"},
		{"dialect.example.org", "documentation", reserved.Documentation, true, true, "", "mail.dialect.example.org"},
	} {
		d, ok := got[c.name]
		if !ok || d.Rule != c.rule || d.Nature != c.nature || d.BuiltIn != c.builtIn || d.Empty != c.empty {
			t.Errorf("%s: %+v", c.name, d)
		}
		if c.allows != "" && !d.Allows(c.allows) || d.Allows(c.denies) {
			t.Errorf("%s: allows %q %v, %q %v", c.name, c.allows, d.Allows(c.allows), c.denies, d.Allows(c.denies))
		}
	}
	for _, name := range []string{"example.net", "ended.stranger.net", "some.stranger.net", "service.stranger.net", "dialect.stranger.net"} {
		if _, ok := got[name]; ok {
			t.Errorf("%s is listed", name)
		}
	}
	found := false
	for _, d := range p.Domains(rules.From{At: day, Client: netip.MustParseAddr("192.0.2.7")}) {
		found = found || d.Name == "some.stranger.net"
	}
	if !found {
		t.Error("the rule for a client is not listed for that client")
	}
	if (rules.Domain{}).Allows("example.com") {
		t.Error("the zero Domain allows")
	}
}
