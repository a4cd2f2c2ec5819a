package rules_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// BenchmarkPlan_notOurs is the hot path: a request on an opened host that is not discovery, about nobody and about somebody guarded.
func BenchmarkPlan_notOurs(b *testing.B) {
	p := builtin(b)
	for host, want := range map[string]rules.Step{"www.some-shop.co.uk": rules.Ignore, "www.example.com": rules.Watch} {
		b.Run(want.String(), func(b *testing.B) {
			r := question("https://" + host + "/index.html?x=1")
			r.Header["Accept"] = []string{"*/*"}
			b.ReportAllocs()
			for b.Loop() {
				if got := p.Plan(r, rules.From{}).Step; got != want {
					b.Fatal(got)
				}
			}
		})
	}
}

// BenchmarkOpens asks what every CONNECT asks.
func BenchmarkOpens(b *testing.B) {
	p := builtin(b)
	for name, host := range map[string]string{"hit": "autodiscover.example.com", "miss": "www.some-shop.co.uk"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Opens(host)
			}
		})
	}
}

// BenchmarkJudge decides on the incident, on a lab's POX answer of 20 KB that is edited, and on one of the same size that is not guarded.
func BenchmarkJudge(b *testing.B) {
	p := builtin(b)
	incident := question("https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect")
	incident.Header["Authorization"] = []string{basic("email@example.com:password")}
	var told exchange
	for _, x := range loadCorpus(b) {
		if x.name == "autodetect/incident" {
			told = x
		}
	}
	for _, c := range []struct {
		name    string
		request dialect.Request
		answer  dialect.Answer
		want    rules.Action
	}{
		{"autodetect/incident", incident, told.answer, rules.ActionRefuse},
		{"pox/2KB-edited", poxQuestion("lab.test"), poxAnswer("lab.test", 2<<10), rules.ActionEdit},
		{"pox/20KB-edited", poxQuestion("lab.test"), poxAnswer("lab.test", 20<<10), rules.ActionEdit},
		{"pox/20KB-not-guarded", poxQuestion("shop.com"), poxAnswer("shop.com", 20<<10), rules.ActionPass},
	} {
		b.Run(c.name, func(b *testing.B) {
			plan := p.Plan(c.request, rules.From{})
			b.SetBytes(int64(len(c.answer.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if d := p.Judge(&plan, c.answer); d.Action != c.want {
					b.Fatalf("%v: %s", d.Action, d.Reason)
				}
			}
		})
	}
}

func builtin(tb testing.TB) *rules.Policy {
	tb.Helper()
	p, err := rules.New(rules.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func poxQuestion(domain string) dialect.Request {
	r := question("https://autodiscover." + domain + "/autodiscover/autodiscover.xml")
	r.Method = http.MethodPost
	r.Body = fmt.Appendf(nil, "<Autodiscover><Request><EMailAddress>user@%s</EMailAddress></Request></Autodiscover>", domain)
	return r
}

// poxAnswer has one stranger and as many own Protocols as the size takes.
func poxAnswer(domain string, size int) dialect.Answer {
	var s strings.Builder
	s.WriteString(`<?xml version="1.0" encoding="utf-8"?><Autodiscover><Response><Account><Action>settings</Action>` +
		`<Protocol><Type>SMTP</Type><Server>smtp.stranger.net</Server><Port>465</Port></Protocol>`)
	for s.Len() < size-200 {
		fmt.Fprintf(&s, "<Protocol><Type>EXPR</Type><Server>mail.%s</Server><Port>443</Port><EwsUrl>https://mail.%s/EWS/Exchange.asmx</EwsUrl><SSL>On</SSL></Protocol>", domain, domain)
	}
	s.WriteString("</Account></Response></Autodiscover>")
	return dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Type": {"text/xml; charset=utf-8"}}, Body: []byte(s.String())}
}
