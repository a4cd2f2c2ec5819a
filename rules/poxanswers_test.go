package rules_test

import (
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// TestPOX_answeredForPhones: an answer in the schema for phones is read and written as such, whatever schema the question had. Z-Push calls it a page, so that it has to be written.
func TestPOX_answeredForPhones(t *testing.T) {
	p := withRules(t, rules.Rule{Name: "corp", Domains: []string{"corp.example.net"}, Allow: []string{"*.corp.example.net"}, Otherwise: rules.RemoveStrangers})
	server := func(host string) string {
		return `<Server><Type>MobileSync</Type><Url>https://` + host + `/Microsoft-Server-ActiveSync</Url><Name>https://` + host + `/Microsoft-Server-ActiveSync</Name></Server>`
	}
	for method, r := range map[string]dialect.Request{"POST": poxQuestion("corp.example.net"), "GET": question("https://autodiscover.corp.example.net/autodiscover/autodiscover.xml")} {
		x := said("text/html; charset=UTF-8", `<Autodiscover><Response><Culture>en:en</Culture><Action><Settings>`+server("eas.stranger.net")+server("eas.corp.example.net")+`</Settings></Action></Response></Autodiscover>`)
		if _, d := decide(p, r, x); d.Action != rules.ActionEdit || !strings.Contains(string(d.Answer.Body), "<Settings>"+server("eas.corp.example.net")+"</Settings>") {
			t.Errorf("%s: %v, %s: %s", method, d.Action, d.Reason, d.Answer.Body)
		}
	}
}

// What is no answer for phones is not read as one because an element of theirs stands first: a fragment that clients append is seen.
func TestPOX_decoyForPhones(t *testing.T) {
	p := withRules(t, rules.Rule{Name: "corp", Domains: []string{"corp.example.net"}, Allow: []string{"*.corp.example.net"}, Otherwise: rules.RemoveStrangers})
	const protocol = `<Protocol><Type>EXPR</Type><Server>mail.corp.example.net</Server><EcpUrl>https://mail.corp.example.net</EcpUrl><EcpUrl-um>.io/x</EcpUrl-um></Protocol>`
	for _, body := range []string{
		`<Response><Action/></Response><Response><Account><Action>settings</Action>` + protocol + `</Account></Response>`,
		`<Response><Action>settings</Action><x><Account>` + protocol + `</Account></x></Response>`,
		`<Response><Action>settings</Action>` + protocol + `</Response>`,
		`<Response><Action>settings</Action><x><Server>mail.corp.example.net</Server><EcpUrl>https://mail.corp.example.net</EcpUrl><EcpUrl-um>.io/x</EcpUrl-um></x></Response>`,
	} {
		if _, d := decide(p, poxQuestion("corp.example.net"), said("text/xml", "<Autodiscover>"+body+"</Autodiscover>")); d.Action != rules.ActionRefuse {
			t.Errorf("%s: %v, %s: %s", body, d.Action, d.Reason, d.Answer.Body)
		}
	}
	// What is left of a redirect says so no more.
	const redirect = `<Response><Action/></Response><Response><Account><Action>redirectUrl</Action><RedirectUrl>https://x.stranger.net/</RedirectUrl><Protocol><Type>IMAP</Type><Server>mail.corp.example.net</Server></Protocol></Account></Response>`
	if _, d := decide(p, poxQuestion("corp.example.net"), said("text/xml", "<Autodiscover>"+redirect+"</Autodiscover>")); d.Action != rules.ActionEdit || strings.Contains(string(d.Answer.Body), "redirectUrl") {
		t.Errorf("%v, %s: %s", d.Action, d.Reason, d.Answer.Body)
	}
}

// TestURLsWithoutScheme: where POX and SOAP have a URL and it lacks its scheme, its host is judged like any other: an own one passes, and a stranger's goes with what it is for.
func TestURLsWithoutScheme(t *testing.T) {
	p := withRules(t, rules.Rule{Name: "corp", Domains: []string{"corp.example.net"}, Allow: []string{"*.corp.example.net"}, Otherwise: rules.RemoveStrangers})
	soap := question("https://autodiscover.corp.example.net/autodiscover/autodiscover.svc")
	soap.Method, soap.Body = "POST", []byte(`<Envelope><Body><GetUserSettingsRequestMessage><Request><Users><User><Mailbox>user@corp.example.net</Mailbox></User></Users></Request></GetUserSettingsRequestMessage></Body></Envelope>`)
	protocol := func(url string) string { return `<Protocol><Type>EXPR</Type><EwsUrl>` + url + `</EwsUrl></Protocol>` }
	setting := func(url string) string {
		return `<UserSetting><Name>ExternalEwsUrl</Name><Value>` + url + `</Value></UserSetting>`
	}
	const own, stranger = "mail.corp.example.net/EWS/Exchange.asmx", "mail.stranger.net:443/EWS/Exchange.asmx"
	for _, c := range []struct {
		name          string
		request       dialect.Request
		head, tail    string
		write         func(url string) string
		urls          []string
		want          rules.Action
		wantStrangers string
	}{
		{"POX, own", poxQuestion("corp.example.net"), "<Autodiscover><Response><Account><Action>settings</Action>", "</Account></Response></Autodiscover>", protocol, []string{own}, rules.ActionPass, ""},
		{"POX, both", poxQuestion("corp.example.net"), "<Autodiscover><Response><Account><Action>settings</Action>", "</Account></Response></Autodiscover>", protocol, []string{stranger, own}, rules.ActionEdit, "mail.stranger.net"},
		{"SOAP, own", soap, "<Envelope><Body><Response><UserResponses><UserResponse><UserSettings>", "</UserSettings></UserResponse></UserResponses></Response></Body></Envelope>", setting, []string{own}, rules.ActionPass, ""},
		{"SOAP, both", soap, "<Envelope><Body><Response><UserResponses><UserResponse><UserSettings>", "</UserSettings></UserResponse></UserResponses></Response></Body></Envelope>", setting, []string{own, stranger}, rules.ActionEdit, "mail.stranger.net"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := c.head
			for _, u := range c.urls {
				body += c.write(u)
			}
			d := judged(p, c.request, dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(body + c.tail)})
			if got := strings.Join(d.Strangers, " "); d.Action != c.want || got != c.wantStrangers || c.want == rules.ActionEdit && !strings.Contains(string(d.Answer.Body), c.head+c.write(own)+c.tail) {
				t.Errorf("%v, %s, strangers %q: %s", d.Action, d.Reason, got, d.Answer.Body)
			}
		})
	}
}
