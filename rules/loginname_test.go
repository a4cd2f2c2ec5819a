package rules_test

import (
	"slices"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// TestLoginName_ofOneServer: a log-in at a stranger's costs the server that it is for, is told by its host, and does not matter where another server is put in.
func TestLoginName_ofOneServer(t *testing.T) {
	document := func(imap, user string) dialect.Answer {
		return dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(`<Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>` + imap +
			`</Server><LoginName>` + user + `</LoginName></Protocol><Protocol><Type>SMTP</Type><Server>mail.corp.example.net</Server></Protocol></Account></Response></Autodiscover>`)}
	}
	removing := replacing
	removing.Otherwise, removing.Servers = rules.RemoveStrangers, nil
	for _, c := range []struct {
		name, imap, user string
		rule             rules.Rule
		want, unwanted   string
		action           rules.Action
		stranger         string
	}{
		{"removed", "mail.corp.example.net", "jane@ad.stranger.net", removing, "<Type>SMTP", "<Type>IMAP", rules.ActionEdit, "ad.stranger.net"},
		{"removed with its server", "imap.stranger.net", "jane@ad.stranger.net", removing, "<Type>SMTP", "<Type>IMAP", rules.ActionEdit, "ad.stranger.net"},
		{"nothing to put in", "mail.corp.example.net", "jane@ad.stranger.net", replacing, "<Type>SMTP", "<Type>IMAP", rules.ActionEdit, "ad.stranger.net"},
		{"written over", "imap.stranger.net", "jane@ad.stranger.net", replacing, "<LoginName>user</LoginName>", "stranger", rules.ActionEdit, "ad.stranger.net"},
		{"a realm", "mail.corp.example.net", "jane@CORP", removing, "", "", rules.ActionPass, ""},
	} {
		d := judged(withRules(t, c.rule), poxQuestion("corp.example.net"), document(c.imap, c.user))
		body := string(d.Answer.Body)
		if d.Action != c.action || !strings.Contains(body, c.want) || c.unwanted != "" && strings.Contains(body, c.unwanted) || c.stranger != "" && !slices.Contains(d.Strangers, c.stranger) {
			t.Errorf("%s: %v, strangers %q: %s", c.name, d.Action, d.Strangers, body)
		}
	}
}

// TestLoginName_whatGoesAlone: neither a log-in that belongs to no server takes one along, nor does anything else that has no meaning to a client.
func TestLoginName_whatGoesAlone(t *testing.T) {
	removing := replacing
	removing.Otherwise, removing.Servers = rules.RemoveStrangers, nil
	const server = `<Protocol><Type>IMAP</Type><Server>mail.corp.example.net</Server></Protocol>`
	for _, account := range [...]string{
		"<LoginName>jane@ad.stranger.net</LoginName>" + server,
		strings.Replace(server, "</Server>", "</Server><Help>https://stranger.net/help</Help>", 1),
	} {
		d := judged(withRules(t, removing), poxQuestion("corp.example.net"), said("text/xml", `<Autodiscover><Response><Account>`+account+`</Account></Response></Autodiscover>`))
		if d.Action != rules.ActionEdit || !strings.Contains(string(d.Answer.Body), "<Account>"+server+"</Account>") {
			t.Errorf("%s: %v, %s: %s", account, d.Action, d.Reason, d.Answer.Body)
		}
	}
}

// TestLoginName_atTheHosters: whose host is asked is not whose account is asked about.
func TestLoginName_atTheHosters(t *testing.T) {
	hosted := rules.Rule{Name: "corp", Domains: []string{"corp.example.net"}, Allow: []string{"autoconfig.hoster.net", "*.mx.net"}, Otherwise: rules.RemoveStrangers}
	server := func(host, user string) string {
		return `<incomingServer type="imap"><hostname>` + host + `</hostname><port>993</port><username>` + user + `</username></incomingServer>`
	}
	a := dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(`<clientConfig version="1.1"><emailProvider id="corp.example.net"><domain>corp.example.net</domain>` +
		server("imap1.mx.net", "jane@hoster.net") + server("imap2.mx.net", "%EMAILADDRESS%") + `</emailProvider></clientConfig>`)}
	d := judged(withRules(t, hosted), question("https://autoconfig.hoster.net/mail/config-v1.1.xml?emailaddress=jane%40corp.example.net"), a)
	if body := string(d.Answer.Body); d.Action != rules.ActionEdit || strings.Contains(body, "imap1") || !strings.Contains(body, "imap2") {
		t.Errorf("%v, %s: %s", d.Action, d.Reason, body)
	}
}

// TestLoginName_whereClientsGo: Thunderbird looks for address books, with the password, at what stands behind the @ of the user name that it was told.
func TestLoginName_whereClientsGo(t *testing.T) {
	lab := rules.Rule{Name: "corp", Domains: []string{"corp.co"}, Allow: []string{"*.corp.co", "ad.example.org"}}
	for username, want := range map[string]rules.Action{
		"web12p3": rules.ActionPass, "%EMAILLOCALPART%": rules.ActionPass, "%EMAILADDRESS%": rules.ActionPass, "user@corp.co": rules.ActionPass, `CORP\user`: rules.ActionPass,
		"%EMAILLOCALPART%@%EMAILDOMAIN%": rules.ActionPass, "%EMAILLOCALPART%@mail.%EMAILDOMAIN%": rules.ActionPass, "%EMAILLOCALPART%.%EMAILDOMAIN%": rules.ActionPass,
		"%EMAILLOCALPART%@ad.example.org": rules.ActionPass,
		"user@stranger.net":               rules.ActionRefuse, "user@stranger.net@corp.co": rules.ActionRefuse,
		"%EMAILADDRESS%m": rules.ActionRefuse, "%emailaddress%m": rules.ActionRefuse, "u@%EMAILDOMAIN%m": rules.ActionRefuse, "u@x%EMAILDOMAIN%": rules.ActionRefuse, "u@%EMAILLOCALPART%": rules.ActionRefuse,
	} {
		config := question("https://autoconfig.corp.co/mail/config-v1.1.xml?emailaddress=user%40corp.co")
		for body, r := range map[string]dialect.Request{
			`<clientConfig version="1.1"><emailProvider id="corp.co"><domain>corp.co</domain><incomingServer type="imap"><hostname>mail.corp.co</hostname><port>993</port><socketType>SSL</socketType>` +
				`<authentication>password-cleartext</authentication><username>` + username + `</username></incomingServer></emailProvider></clientConfig>`: config,
			`<Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>mail.corp.co</Server><LoginName>` + username + `</LoginName></Protocol></Account></Response></Autodiscover>`: poxQuestion("corp.co"),
		} {
			a := dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(body)}
			if d := judged(withRules(t, lab), r, a); d.Action != want {
				t.Errorf("%s, %v: %v, want %v: %s", username, d.Dialect, d.Action, want, d.Reason)
			}
		}
	}
}
