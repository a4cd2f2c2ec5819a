package rules_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// TestMonitor_changesNothing: whatever a rule would have done, a monitoring one lets pass as it is, and says what it would have done.
func TestMonitor_changesNothing(t *testing.T) {
	looked := 0
	for _, x := range loadCorpus(t) {
		enforcing := []rules.Rule{{Name: "watched", Domains: []string{
			"example.com", "*.example.com", "lab.test", "*.lab.test", "example", "*.example", "invalid", "*.invalid", "test", "*.test", "example.net", "example.org",
		}}}
		watching := []rules.Rule{enforcing[0]}
		watching[0].Mode = rules.Monitor
		_, strict := decide(policyFor(t, exchange{services: x.services, rules: enforcing}), x.request, x.answer)
		plan, d := decide(policyFor(t, exchange{services: x.services, rules: watching}), x.request, x.answer)
		if strict.Rule != "watched" || len(strict.Subjects) > 1 {
			continue // another rule has a say
		}
		looked++
		if d.Action != rules.ActionPass || plan.Step != rules.Forward || plan.Header != nil || d.Mode != rules.Monitor || d.Rule != "watched" || !strings.HasPrefix(d.Reason, "monitored only: ") {
			t.Errorf("%s: %v, %v by %q: %s", x.name, plan.Step, d.Action, d.Rule, d.Reason)
		}
		if d.Would != strict.Action {
			t.Errorf("%s: would %v, and enforced it is %v", x.name, d.Would, strict.Action)
		}
		if strict.Suggestions == nil {
			continue // nobody would have been asked
		}
		if !slices.Equal(d.Strangers, strict.Strangers) || len(d.Suggestions) != len(strict.Suggestions) {
			t.Errorf("%s: strangers %q, suggestions %v; enforced %q, %v", x.name, d.Strangers, d.Suggestions, strict.Strangers, strict.Suggestions)
			continue
		}
		for i, s := range d.Suggestions {
			if s.Verdict != dialect.Keep || s.Now != s.Was || s.Would != strict.Suggestions[i].Verdict {
				t.Errorf("%s: %+v, and enforced %+v", x.name, s, strict.Suggestions[i])
			}
		}
	}
	if looked < 100 {
		t.Errorf("only %d exchanges were looked at", looked)
	}
}

// TestMonitor_suspected: what only reads like discovery is recorded and not refused, and a rule that monitors does not say that it would be.
func TestMonitor_suspected(t *testing.T) {
	request := question("https://www.hoster.net/odd/place")
	request.Header["Authorization"] = []string{basic("user@corp.example.net:secret")}
	for service, want := range map[rules.Mode]rules.Action{rules.Off: rules.ActionPass, rules.Enforce: rules.ActionRefuse} {
		for _, mode := range []rules.Mode{rules.Enforce, rules.Monitor} {
			r := pin
			r.Mode = mode
			p, err := rules.New(rules.Config{Services: map[string]rules.Mode{"suspected": service}, Rules: []rules.Rule{r}})
			if err != nil {
				t.Fatal(err)
			}
			plan := p.Plan(request, rules.From{})
			d, ok := p.Sniff(&plan, said("application/json", `{"protocols":[{"protocol":"imap","hostname":"imap.stranger.net","port":993}]}`))
			got := d.Action
			if mode == rules.Monitor {
				got = d.Would
			}
			if !ok || d.Dialect != dialect.Suspected || d.Rule != r.Name || got != want || !slices.Equal(d.Strangers, []string{"imap.stranger.net"}) {
				t.Errorf("%v, %v: %v, %v by %q, %v, would %v, strangers %q: %s", service, mode, ok, d.Dialect, d.Rule, d.Action, d.Would, d.Strangers, d.Reason)
			}
			if mode == rules.Enforce && d.Would != 0 {
				t.Errorf("%v: would be %v where nothing monitors", service, d.Would)
			}
			if one := d.Suggestions[0]; (one.Verdict != dialect.Keep) != (d.Action == rules.ActionRefuse) || mode == rules.Monitor && (one.Would != dialect.Keep) != (d.Would == rules.ActionRefuse) {
				t.Errorf("%v, %v: its server is for %v, would be for %v", service, mode, one.Verdict, one.Would)
			}
			if strings.Contains(d.Reason, "not enforced") != (want == rules.ActionPass) || strings.Contains(d.Reason, "monitored") != (mode == rules.Monitor && want == rules.ActionRefuse) {
				t.Errorf("%v, %v: %s", service, mode, d.Reason)
			}
		}
	}
}

// TestMonitor_scrubsWhereToldTo: the operator's explicit word about secrets holds although nothing else is changed.
func TestMonitor_scrubsWhereToldTo(t *testing.T) {
	r := pin
	r.Mode, r.Upstream = rules.Monitor, rules.AskScrubbed
	request := poxQuestion("corp.example.net")
	request.URL.Host = "autodiscover.stranger.net"
	request.Header["Authorization"] = []string{basic("user@corp.example.net:secret")}
	plan := withRules(t, r).Plan(request, rules.From{})
	if plan.Step != rules.Scrub || plan.Guarded || plan.Decision.Credentials.Forwarded {
		t.Errorf("%v, %+v", plan.Step, plan.Decision)
	}
	if d := withRules(t, r).Judge(&plan, poxAnswer("corp.example.net", 600)); d.Action != rules.ActionPass || d.Would != rules.ActionRefuse {
		t.Errorf("%v, would %v", d.Action, d.Would)
	}
	// It opens nothing that another rule closes, and takes nothing from a host of the rule's own.
	for host, want := range map[string]rules.Step{"autodiscover.stranger.net": rules.Refuse, "autodiscover.corp.example.net": rules.Forward} {
		request := poxQuestion("corp.example.net")
		request.URL.Host = host
		if want == rules.Refuse {
			request.Header["From"] = []string{"user@example.com"}
		}
		if plan := withRules(t, r).Plan(request, rules.From{}); plan.Step != want {
			t.Errorf("%s: %v, %s; want %v", host, plan.Step, plan.Decision.Reason, want)
		}
	}
}

// TestMonitor_besideAnother: who is named against a rule that only monitors is kept from nobody, although another rule refuses the answer.
func TestMonitor_besideAnother(t *testing.T) {
	request := poxQuestion("corp.example.net")
	request.Header["From"] = []string{"user@watched.net"}
	p := withRules(t, pin, rules.Rule{Name: "watched", Domains: []string{"watched.net"}, Mode: rules.Monitor})
	d := judged(p, request, poxAnswer("corp.example.net", 600))
	if d.Action != rules.ActionRefuse || d.Would != rules.ActionRefuse || !slices.Equal(d.Strangers, []string{"smtp.stranger.net"}) {
		t.Errorf("%v, would %v, strangers %q: %s", d.Action, d.Would, d.Strangers, d.Reason)
	}
}

// TestMonitor_whoWouldNotHaveBeenAsked: what a rule would have done before anybody is asked does not depend on what was answered in the end.
func TestMonitor_whoWouldNotHaveBeenAsked(t *testing.T) {
	answers := pin
	answers.Answer, answers.Servers = rules.AnswerLocal, []dialect.Server{{Protocol: "imap", Host: "mail.corp.example.net"}}
	request := poxQuestion("corp.example.net")
	request.URL.Host = "autodiscover.stranger.net"
	own := poxAnswer("corp.example.net", 600)
	own.Body = bytes.ReplaceAll(own.Body, []byte("smtp.stranger.net"), []byte("smtp.corp.example.net"))
	for name, c := range map[string]struct {
		rule rules.Rule
		step rules.Step
		want rules.Action
	}{
		"a host outside the set": {pin, rules.Refuse, rules.ActionRefuse},
		"the rule's own servers": {answers, rules.Reply, rules.ActionAnswer},
	} {
		if plan := withRules(t, c.rule).Plan(request, rules.From{}); plan.Step != c.step {
			t.Errorf("%s: enforced, the step is %v, want %v", name, plan.Step, c.step)
		}
		c.rule.Mode = rules.Monitor
		plan, d := decide(withRules(t, c.rule), request, own)
		if plan.Step != rules.Forward || d.Action != rules.ActionPass || d.Would != c.want {
			t.Errorf("%s: %v, %v, would %v; want %v", name, plan.Step, d.Action, d.Would, c.want)
		}
	}
}

// TestPlan_outside: an operator who reads why his own host was not asked is not told that his rule names nobody.
func TestPlan_outside(t *testing.T) {
	const nobody, outside = "no host may be named to the domain, and the asked host is none of its own", "the asked host is outside the rule"
	empty, watching := pin, pin
	empty.Allow, watching.Mode = nil, rules.Monitor
	for _, c := range []struct {
		url, want string
		rules     []rules.Rule
	}{
		{"https://corp.example.net/mail/config-v1.1.xml", outside, []rules.Rule{pin}},
		{"https://corp.example.net/mail/config-v1.1.xml", "monitored only: " + outside, []rules.Rule{watching}},
		{"https://corp.example.net/mail/config-v1.1.xml", nobody, []rules.Rule{empty}},
		{"https://autoconfig.example.com/mail/config-v1.1.xml", nobody, nil},
		{"https://autoconfig.hoster.net/mail/config-v1.1.xml?emailaddress=jane@lab.test", outside, nil},
	} {
		plan := withRules(t, c.rules...).Plan(question(c.url), rules.From{})
		if plan.Decision.Reason != c.want {
			t.Errorf("%s, %+v: %q, want %q", c.url, c.rules, plan.Decision.Reason, c.want)
		}
	}
}
