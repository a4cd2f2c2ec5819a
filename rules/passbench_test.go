package rules_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// BenchmarkPass is the common case of a gateway: a domain that is pinned to its own hosts, and an answer that names no others. It is planned,
// judged and passed; "sniffed" is an answer at a place that nobody published.
func BenchmarkPass(b *testing.B) {
	p, err := rules.New(rules.Config{Rules: []rules.Rule{{
		Name: "pin", Domains: []string{"corp.net"}, Allow: []string{"corp.net", "*.corp.net"}, Otherwise: rules.Block,
	}}})
	if err != nil {
		b.Fatal(err)
	}
	asked := question("https://mail.corp.net/settings?email=user@corp.net")
	asked.Header["User-Agent"] = []string{"client/1.0"}
	for _, c := range []struct {
		name    string
		request dialect.Request
		answer  dialect.Answer
	}{
		{"pox", poxQuestion("corp.net"), outlookAnswer("corp.net")},
		{"sniffed", asked, dialect.Answer{
			Status: http.StatusOK,
			Header: dialect.Header{"Content-Type": {"application/json; charset=utf-8"}, "Date": {"Tue, 03 Nov 2026 10:00:00 GMT"}, "Content-Length": {"312"}},
			Body: []byte(`{"email":"user@corp.net","services":[],"protocols":[` +
				`{"protocol":"imap","hostname":"imap.corp.net","port":993,"encryption":"SSL","username":"{email}","validated":false},` +
				`{"protocol":"smtp","hostname":"smtp.corp.net","port":465,"encryption":"SSL","username":"{email}","validated":false}]}`),
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				plan, d := decide(p, c.request, c.answer)
				if d.Action != rules.ActionPass || d.Rule != "pin" {
					b.Fatalf("%v %v by %q: %s", plan.Step, d.Action, d.Rule, d.Reason)
				}
			}
		})
	}
}

// outlookAnswer is laid out as Exchange lays it out, with the protocols that a hoster offers.
func outlookAnswer(domain string) dialect.Answer {
	var s strings.Builder
	s.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n" +
		`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">` + "\n" +
		`  <Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">` + "\n" +
		"    <User>\n      <DisplayName>Lab User</DisplayName>\n      <AutoDiscoverSMTPAddress>user@" + domain + "</AutoDiscoverSMTPAddress>\n    </User>\n" +
		"    <Account>\n      <AccountType>email</AccountType>\n      <Action>settings</Action>\n")
	for _, v := range []struct {
		name string
		port int
	}{{"IMAP", 993}, {"POP3", 995}, {"SMTP", 465}} {
		fmt.Fprintf(&s, "      <Protocol>\n        <Type>%s</Type>\n        <Server>%s.%s</Server>\n        <Port>%d</Port>\n        <LoginName>user@%s</LoginName>\n"+
			"        <DomainRequired>off</DomainRequired>\n        <SPA>off</SPA>\n        <SSL>on</SSL>\n        <AuthRequired>on</AuthRequired>\n      </Protocol>\n",
			v.name, strings.ToLower(v.name), domain, v.port, domain)
	}
	fmt.Fprintf(&s, "      <Protocol>\n        <Type>WEB</Type>\n        <OWAUrl AuthenticationMethod=\"Basic, Fba\">https://mail.%s/owa/</OWAUrl>\n      </Protocol>\n"+
		"    </Account>\n  </Response>\n</Autodiscover>\n", domain)
	return dialect.Answer{
		Status: http.StatusOK,
		Header: dialect.Header{"Content-Type": {"text/xml; charset=utf-8"}, "Date": {"Tue, 03 Nov 2026 10:00:00 GMT"}, "Content-Length": {"1877"}},
		Body:   []byte(s.String()),
	}
}
