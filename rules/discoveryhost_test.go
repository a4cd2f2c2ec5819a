package rules_test

import (
	"testing"

	"autodiscover-guard/rules"
)

// TestPlan_discoveryHostOfNobody: a discovery host of a domain to which nobody may be named is asked nothing, at whatever place, so that no password goes there. What has other names is a web site like
// any other.
func TestPlan_discoveryHostOfNobody(t *testing.T) {
	p := withRules(t,
		rules.Rule{Name: "closed", Domains: []string{"closed.net"}},
		rules.Rule{Name: "one-dialect", Domains: []string{"some.net"}, Dialects: []string{"pox"}},
		rules.Rule{Name: "tried", Domains: []string{"tried.net"}, Mode: rules.Monitor},
		rules.Rule{Name: "pin", Domains: []string{"pinned.net"}, Allow: []string{"mail.hoster.net"}},
	)
	for at, want := range map[string]struct {
		step rules.Step
		rule string
	}{
		"https://autodiscover.example.com/odd":           {rules.Refuse, "documentation"},
		"https://AutoConfig.sub.example.com.:8443/":      {rules.Refuse, "documentation"},
		"http://ua-auto-config.invalid/odd":              {rules.Refuse, "documentation"},
		"https://autodiscover.closed.net/odd":            {rules.Refuse, "closed"},
		"https://www.example.com/odd":                    {rules.Watch, ""},
		"https://example.com/odd":                        {rules.Watch, ""},
		"https://autodiscover.lab.test/odd":              {rules.Watch, ""},
		"https://autodiscover.some.net/odd":              {rules.Watch, ""},
		"https://autodiscover.tried.net/odd":             {rules.Watch, ""},
		"https://autodiscover.pinned.net/odd":            {rules.Watch, ""},
		"https://autodiscover.hoster.net/odd":            {rules.Ignore, ""},
		"https://autodiscover.hoster.net/odd?user=u@lab": {rules.Ignore, ""},
	} {
		request := question(at)
		request.Header["Authorization"] = []string{basic("user:secret")}
		plan := p.Plan(request, rules.From{})
		if plan.Step != want.step || plan.Decision.Rule != want.rule {
			t.Errorf("%s: %v by %q", at, plan.Step, plan.Decision.Rule)
		}
		if want.step != rules.Refuse {
			continue
		}
		if d := plan.Decision; !plan.Guarded || d.Action != rules.ActionRefuse || d.Answer.Status != 404 || !d.Credentials.Present || d.Credentials.Forwarded || len(d.Subjects) == 0 {
			t.Errorf("%s: %+v", at, d)
		}
	}
}
