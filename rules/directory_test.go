package rules_test

import (
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// TestPlan_directory: an Active Directory domain has a name of its own, and its users log in by that. Where the operator's rule says what they are told,
// this takes nothing from it; where somebody is asked about under such a name, or nothing else says who they are, it counts.
func TestPlan_directory(t *testing.T) {
	p := withRules(t, rules.Rule{Name: "pin", Domains: []string{"corp.net"}, Allow: []string{"corp.net", "*.corp.net"}})
	for name, c := range map[string]struct {
		login, asked, host string
		want               rules.Step
		rule               string
	}{
		"logs in by address":                    {"user@corp.net:secret", "corp.net", "autodiscover.corp.net", rules.Forward, "pin"},
		"logs in by principal name":             {"user@corp.local:secret", "corp.net", "autodiscover.corp.net", rules.Forward, "pin"},
		"logs in by directory":                  {`corp.local\user:secret`, "corp.net", "mail.corp.net", rules.Forward, "pin"},
		"is asked about by the directory":       {"user@corp.local:secret", "corp.local", "autodiscover.corp.net", rules.Refuse, "pin"},
		"logs in at a stranger":                 {"user@corp.local:secret", "corp.net", "autodiscover.stranger.net", rules.Refuse, "pin"},
		"logs in, and nobody has a rule":        {"user@corp.local:secret", "shop.com", "autodiscover.shop.com", rules.Refuse, "private-use"},
		"logs in by a name that is nobody's":    {"user@example.com:secret", "corp.net", "autodiscover.corp.net", rules.Refuse, "pin"},
		"logs in where the directory's host is": {"user@corp.local:secret", "corp.local", "autodiscover.corp.local", rules.Forward, "private-use"},
	} {
		r := poxQuestion(c.asked)
		r.URL.Host = c.host
		r.Header["Authorization"] = []string{basic(c.login)}
		if plan := p.Plan(r, rules.From{}); plan.Step != c.want || plan.Decision.Rule != c.rule {
			t.Errorf("%s: %v by %q: %s; want %v by %q", name, plan.Step, plan.Decision.Rule, plan.Decision.Reason, c.want, c.rule)
		}
	}
	// Nor does it where the answer says what to log in as.
	for answer, question := range map[string]dialect.Request{
		`{"email":"user@corp.net","protocols":[{"protocol":"imap","hostname":"mail.corp.net","username":"user@corp.local"}]}`:                                            question("https://prod.autodetect.outlook.cloud.microsoft/detect"),
		`<Autodiscover><Response><Account><Protocol><Server>mail.corp.net</Server><LoginName>user@corp.local</LoginName></Protocol></Account></Response></Autodiscover>`: poxQuestion("corp.net"),
	} {
		question.Header["X-Email"], question.Header["Authorization"] = []string{"user@corp.net"}, []string{basic("user@corp.local:secret")}
		_, d := decide(p, question, said(map[bool]string{true: "application/json", false: "text/xml"}[answer[0] == '{'], answer))
		if d.Action != rules.ActionPass {
			t.Errorf("%s: %v, %s", answer, d.Action, d.Reason)
		}
	}
	// What is no directory's name, or another's, is a stranger.
	for login, username := range map[string]string{"user@corp.local": "user@other.local", "user@partner.com": "user@partner.com"} {
		question := question("https://prod.autodetect.outlook.cloud.microsoft/detect")
		question.Header["X-Email"], question.Header["Authorization"] = []string{"user@corp.net"}, []string{basic(login + ":secret")}
		_, d := decide(p, question, said("application/json", `{"email":"user@corp.net","protocols":[{"protocol":"imap","hostname":"mail.corp.net","username":"`+username+`"}]}`))
		if d.Action == rules.ActionPass {
			t.Errorf("%s, who logs in as %s: %v, %s", username, login, d.Action, d.Reason)
		}
	}
	// Without such a rule nothing else says what the account is told.
	r := poxQuestion("lab.test")
	r.Header["Authorization"] = []string{basic("user@corp.local:secret")}
	if plan := builtin(t).Plan(r, rules.From{}); plan.Step != rules.Refuse {
		t.Errorf("without a rule: %v, %s", plan.Step, plan.Decision.Reason)
	}
	// A rule that only records changes nothing for them, either.
	p = withRules(t, rules.Rule{Name: "pin", Domains: []string{"corp.net"}, Allow: []string{"corp.net", "*.corp.net"}, Mode: rules.Monitor})
	r = poxQuestion("corp.net")
	r.Header["Authorization"] = []string{basic(`corp.local\user:secret`)}
	if plan := p.Plan(r, rules.From{}); plan.Step != rules.Forward || plan.Guarded || plan.Decision.Mode != rules.Monitor {
		t.Errorf("monitored: %v, %+v", plan.Step, plan.Decision)
	}
}
