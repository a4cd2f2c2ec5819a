package rules_test

import (
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// TestPolicy_Revision: whatever decisions depend on makes another revision.
func TestPolicy_Revision(t *testing.T) {
	seen := map[string]string{}
	for name, c := range map[string]rules.Config{
		"nothing":   {},
		"sets":      {Reserved: reserved.All()},
		"opened":    {Open: []string{"autodiscover.hoster.net"}},
		"closed":    {Close: []string{"wiki.lab.test"}},
		"a service": {Services: map[string]rules.Mode{"ispdb": rules.Off}},
		"suspected": {Services: map[string]rules.Mode{"suspected": rules.Enforce}},
		"a rule":    {Rules: []rules.Rule{pin}},
	} {
		p, err := rules.New(c)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[p.Revision()]; ok {
			t.Errorf("%s and %s are both %s", name, other, p.Revision())
		}
		seen[p.Revision()] = name
	}
}

// TestNew_services: a service is opened where that is said, or where nothing is and it is so by default.
func TestNew_services(t *testing.T) {
	for name, c := range map[string]struct {
		services map[string]rules.Mode
		host     string
		want     bool
	}{
		"on by default":  {nil, "live.thunderbird.net", true},
		"off":            {map[string]rules.Mode{"ispdb": rules.Off}, "live.thunderbird.net", false},
		"off by default": {map[string]rules.Mode{"ispdb": rules.Off}, "outlook.office365.com", false},
		"on":             {map[string]rules.Mode{"office365": rules.Enforce}, "outlook.office365.com", true},
	} {
		p, err := rules.New(rules.Config{Services: c.services})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Opens(c.host); got != c.want {
			t.Errorf("%s: %s is opened: %v, want %v", name, c.host, got, c.want)
		}
	}
	for want, services := range map[string]map[string]rules.Mode{
		"no valid mode": {"ispdb": 0}, "want enforce or off": {"ispdb": rules.Monitor}, "unknown service": {"isdpb": rules.Enforce},
	} {
		if _, err := rules.New(rules.Config{Services: services}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", services, err, want)
		}
	}
}

// TestNew_openRefused: what is opened is a host, with everything below it; there are no certificates for addresses.
func TestNew_openRefused(t *testing.T) {
	for _, host := range []string{"", "com", "co.uk", "*.hoster.net", "https://hoster.net", "hoster.net:443", "192.0.2.7", "[2001:db8::7]"} {
		if _, err := rules.New(rules.Config{Open: []string{host}}); err == nil || !strings.Contains(err.Error(), "cannot be opened") {
			t.Errorf("%q: %v", host, err)
		}
	}
}

// TestPolicy_unknownStep: of a plan that nobody has made, nothing is known, and so nothing passes, whatever came of the question.
func TestPolicy_unknownStep(t *testing.T) {
	p := withRules(t)
	for name, d := range map[string]rules.Decision{
		"no answer":           p.Unanswered(&rules.Plan{}, "nobody answers"),
		"an answer":           p.Judge(&rules.Plan{}, dialect.Answer{Status: 200}),
		"one that is watched": p.Judge(&rules.Plan{Step: rules.Watch, Guarded: true}, dialect.Answer{Status: 200}),
	} {
		if d.Action != rules.ActionRefuse || d.Answer.Status < 200 || d.Answer.Status > 499 || d.Answer.Status == 401 || d.Answer.Status == 403 || d.Answer.Status == 407 {
			t.Errorf("%s: %v with status %d, want a refusal that is quiet", name, d.Action, d.Answer.Status)
		}
	}
}
