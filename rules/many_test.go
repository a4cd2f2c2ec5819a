package rules_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// users asks about one account of each of n guarded domains, and of one that is not guarded, at a server that all of them may be told.
func users(n int) dialect.Request {
	var b strings.Builder
	b.WriteString(`<Envelope><Body><GetUserSettingsRequestMessage><Request><Users><User><Mailbox>u@shop.com</Mailbox></User>`)
	for i := range n {
		fmt.Fprintf(&b, `<User><Mailbox>u@b%d.test</Mailbox></User><User><Mailbox>v@b%d.test</Mailbox></User>`, i, i)
	}
	b.WriteString(`</Users></Request></GetUserSettingsRequestMessage></Body></Envelope>`)
	r := question("https://10.0.0.1/autodiscover/autodiscover.svc")
	r.Method, r.Header, r.Body = http.MethodPost, dialect.Header{"Content-Type": {"text/xml"}}, []byte(b.String())
	return r
}

// Each host is judged for each guarded domain, so that there must be an end to them: question and answer together cost a quadratic time otherwise.
func TestPlan_domainsWithoutEnd(t *testing.T) {
	p := builtin(t)
	for n, want := range map[int]rules.Step{1: rules.Forward, 256: rules.Forward, 257: rules.Refuse, 20_000: rules.Refuse} {
		plan := p.Plan(users(n), rules.From{})
		if plan.Step != want || len(plan.Decision.Subjects) != n+1 {
			t.Errorf("%d domains: %v: %s (%d subjects), want %v", n, plan.Step, plan.Decision.Reason, len(plan.Decision.Subjects), want)
		}
		if body := string(plan.Decision.Answer.Body); want == rules.Refuse && !strings.Contains(body, "InvalidRequest") {
			t.Errorf("%d domains: %s", n, body)
		}
	}
	// The same where the answer names them.
	var b strings.Builder
	b.WriteString(`{"email":"u@lab.test","services":[],"protocols":[`)
	for i := range 300 {
		fmt.Fprintf(&b, `{"protocol":"imap","hostname":"10.0.0.1","port":993,"username":"u@b%d.test"},`, i)
	}
	body := strings.TrimSuffix(b.String(), ",") + "]}"
	a := dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
	if d := judged(p, detectQuestion("lab.test"), a); d.Action != rules.ActionRefuse || !strings.Contains(d.Reason, "more guarded domains") {
		t.Errorf("in the answer: %v: %s", d.Action, d.Reason)
	}
	if d := judged(p, detectQuestion("shop.com"), a); d.Action != rules.ActionRefuse {
		t.Errorf("in the answer alone: %v: %s", d.Action, d.Reason)
	}
}

// TestDecision_strangers: whom a client was kept from is told once for each, without ports and hosts of the domain's own, and not without end.
func TestDecision_strangers(t *testing.T) {
	r := poxQuestion("lab.test")
	for n, want := range map[int]int{1: 1, 2: 2, 300: 256} {
		var b strings.Builder
		b.WriteString("<Autodiscover><Response><Account><Action>settings</Action><Protocol><Type>IMAP</Type><Server>mail.lab.test</Server></Protocol><Protocol><Type>POP3</Type><Server>no host</Server></Protocol>")
		for i := range 2 * n {
			fmt.Fprintf(&b, "<Protocol><Type>EXPR</Type><Server>S%d.stranger.net</Server><Port>443</Port></Protocol>", i/2)
		}
		b.WriteString("</Account></Response></Autodiscover>")
		_, d := decide(builtin(t), r, dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(b.String())})
		seen := map[string]bool{}
		for _, host := range d.Strangers {
			seen[host] = true
		}
		if len(d.Strangers) != want || len(seen) != want || !seen["s0.stranger.net"] || seen["mail.lab.test"] || seen[""] {
			t.Errorf("%d strangers: %v, %d in the decision, %d different: %.100q", n, d.Action, len(d.Strangers), len(seen), d.Strangers)
		}
	}
}
