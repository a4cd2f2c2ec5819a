package companion

import (
	"slices"
	"testing"
	"time"

	"autodiscover-guard/rules"
)

// TestDenialOf: no name of somebody who may have servers is said not to exist; names that nobody can have are, as a whole.
func TestDenialOf(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p, err := rules.New(rules.Config{Rules: []rules.Rule{
		{Name: "lab", Domains: []string{"lab.example"}, Allow: []string{"*.lab.example"}, Otherwise: rules.Block},
		{Name: "inside", Domains: []string{"*.lab.example", "*.deep.invalid"}, Allow: []string{"*.lab.example"}, Otherwise: rules.Block},
		{Name: "office", Domains: []string{"office.lan"}, Allow: []string{"mail.office.lan"}, Otherwise: rules.Block},
		{Name: "until-yesterday", Domains: []string{"past.stranger.net"}, Otherwise: rules.Block, Until: now.AddDate(0, 0, -1)},
		{Name: "nobody", Domains: []string{"*.lan", "closed.stranger.net", "closed.test"}, Otherwise: rules.Block},
	}})
	if err != nil {
		t.Fatal(err)
	}
	d := denialOf(Facts{Policy: p, At: now})
	for _, c := range []struct {
		what string
		list []string
		has  string
		want bool
	}{
		{"zone", d.zones, "invalid", true},
		{"zone", d.zones, "example", true},
		{"zone of a lab", d.zones, "test", false},
		{"zone of a lab", d.zones, "local", false},
		{"zone of which only what is below has no servers", d.zones, "lan", false},
		{"zone of a name below", d.zones, "example.com", false},
		{"null MX", d.nullMX, "example.com", true},
		{"null MX", d.nullMX, "closed.stranger.net", true},
		{"null MX by a rule that has ended", d.nullMX, "past.stranger.net", false},
		{"null MX in a zone", d.nullMX, "example", false},
		{"null MX of a lab", d.nullMX, "test", false},
		{"null MX of a lab's domain that a rule closes", d.nullMX, "closed.test", true},
		{"null MX of infrastructure", d.nullMX, "ipv4only.arpa", false},
		{"name", d.names, "imap.example.com", true},
		{"name", d.names, "autodiscover.closed.stranger.net", true},
		{"name", d.names, "_tcp.closed.stranger.net", true},
		{"guessed name", d.names, "imap.office.lan", true},
		{"guessed name that may be told", d.names, "mail.office.lan", false},
		{"name of a lab", d.names, "imap.test", false},
		{"name in a zone", d.names, "imap.example", false},
		{"exempt", d.exempt, "lab.example", true},
		{"exempt, named by what is below", d.exempt, "deep.invalid", true},
		{"exempt outside the zones", d.exempt, "office.lan", false},
		{"mute", d.mute, "*.lan", true},
		{"mute, with servers", d.mute, "*.deep.invalid", false},
	} {
		if got := slices.Contains(c.list, c.has); got != c.want {
			t.Errorf("%s %s: %v, want %v", c.what, c.has, got, c.want)
		}
	}
	for _, list := range [][]string{d.zones, d.names, d.nullMX, d.exempt, d.mute} {
		slices.Sort(list)
		if one := slices.Compact(slices.Clone(list)); len(one) < len(list) {
			t.Errorf("twice in %q", list)
		}
	}
}
