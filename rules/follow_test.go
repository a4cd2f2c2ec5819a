package rules_test

import (
	"net/http"
	"slices"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// The second redirect is judged like the first, on behalf of whom the first one was for.
func TestPolicy_Follow(t *testing.T) {
	p := builtin(t)
	first := question("https://autoconfig.lab.test/mail/config-v1.1.xml?emailaddress=user%40lab.test")
	moved := func(to string) dialect.Answer {
		return dialect.Answer{Status: http.StatusFound, Header: dialect.Header{"Location": {to}}}
	}
	plan := p.Plan(first, rules.From{})
	d := p.Judge(&plan, moved("//10.0.0.7:8080/x"))
	onward := d.Onward(first.URL)
	if len(onward) != 1 || onward[0].String() != "https://10.0.0.7:8080/x" {
		t.Fatalf("%v: %s: leads to %v", d.Action, d.Reason, onward)
	}
	trail := plan.Inquiry
	next := question(onward[0].String())
	if plan := p.Plan(next, rules.From{}); plan.Step != rules.Ignore {
		t.Errorf("without the trail: %v", plan.Step)
	}
	for to, want := range map[string]rules.Action{"https://stranger.net/": rules.ActionRefuse, "/y": rules.ActionPass, "https://www.lab.test/": rules.ActionPass} {
		plan := p.Follow(next, rules.From{}, trail)
		if plan.Step != rules.Watch || p.Pursue(&plan, http.StatusOK) {
			t.Errorf("followed: %v", plan.Step)
		}
		if !p.Pursue(&plan, http.StatusFound) || !plan.Guarded {
			t.Errorf("not pursued: %+v", plan)
		}
		if d := p.Judge(&plan, moved(to)); d.Action != want || d.Dialect != dialect.Autoconfig || d.Rule != "private-use" {
			t.Errorf("%s: %v by %q: %s", to, d.Action, d.Rule, d.Reason)
		}
	}
	for name, c := range map[string]struct {
		field, value string
		about        dialect.ID
		want         rules.Step
	}{
		"a browser opens a page":              {"Sec-Fetch-Mode", "navigate", dialect.JMAP, rules.Ignore},
		"in the clear":                        {"Upgrade-Insecure-Requests", "1", dialect.DAV, rules.Ignore},
		"a browser opens a profile":           {"Sec-Fetch-Mode", "navigate", dialect.MobileConfig, rules.Watch},
		"a script asks":                       {"Sec-Fetch-Mode", "cors", dialect.Autoconfig, rules.Watch},
		"somebody else logs in":               {"Authorization", basic("user@shop.com:secret"), dialect.JMAP, rules.Ignore},
		"somebody else's client logs in":      {"Authorization", "Digest username=\"user@shop.com\"", dialect.JMAP, rules.Ignore},
		"the same logs in":                    {"Authorization", basic("user@lab.test:secret"), dialect.JMAP, rules.Watch},
		"somebody guarded logs in":            {"Authorization", basic("user@office.test:secret"), dialect.JMAP, rules.Watch},
		"somebody without an address logs in": {"Authorization", basic("user:secret"), dialect.JMAP, rules.Watch},
		"whom the redirect named logs in":     {"Authorization", basic("user@named.net:secret"), dialect.JMAP, rules.Watch},
	} {
		next := question(onward[0].String())
		next.Header[c.field] = []string{c.value}
		trail := dialect.Inquiry{Dialect: c.about, Subjects: append(slices.Clone(trail.Subjects), dialect.Subject{Domain: "named.net"})}
		if plan := p.Follow(next, rules.From{}, trail); plan.Step != c.want {
			t.Errorf("%s: %v, want %v", name, plan.Step, c.want)
		}
	}
	// Settings that are found there are for the same subject, although nothing there says so.
	plan = p.Follow(next, rules.From{}, trail)
	settings := dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(`<clientConfig><emailProvider><incomingServer type="imap"><hostname>imap.stranger.net</hostname></incomingServer></emailProvider></clientConfig>`)}
	if d, ok := p.Sniff(&plan, settings); !ok || d.Action != rules.ActionRefuse {
		t.Errorf("settings: %v, %t: %s", d.Action, ok, d.Reason)
	}
	// Nobody's trail is none.
	if plan := p.Follow(next, rules.From{}, dialect.Inquiry{Dialect: dialect.POX, Subjects: []dialect.Subject{{Domain: "shop.com"}}}); plan.Step != rules.Ignore {
		t.Errorf("nobody's: %v", plan.Step)
	}
	if plan := p.Follow(question("https://autodiscover.com/"), rules.From{}, trail); plan.Step != rules.Refuse {
		t.Errorf("a back-off host: %v", plan.Step)
	}
	if d := judged(p, question("https://autoconfig.shop.com/mail/config-v1.1.xml"), moved("https://stranger.net/")); d.Action != rules.ActionPass || d.Onward(first.URL) != nil {
		t.Errorf("nobody guarded: %v, leads to %v", d.Action, d.Onward(first.URL))
	}
	if d := judged(p, first, moved("https://stranger.net/")); d.Onward(first.URL) != nil {
		t.Errorf("refused, and leads to %v", d.Onward(first.URL))
	}
}
