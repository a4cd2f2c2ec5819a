package rules_test

import (
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// TestLeak_pagesGoFirst: a word in the query of an own page for people costs that page, and not the servers beside it. Pages that name nobody else stay.
func TestLeak_pagesGoFirst(t *testing.T) {
	for _, otherwise := range []rules.Otherwise{rules.Block, rules.RemoveStrangers} {
		p := withRules(t, rules.Rule{Name: "corp", Domains: []string{"corp.example.net"}, Allow: []string{"*.corp.example.net"}, Otherwise: otherwise})
		for pages, want := range map[string]rules.Action{
			`<documentation url="https://help.corp.example.net/index.php?pg=kb.book&amp;id=3"><descr>Help</descr></documentation><documentation url="https://help.corp.example.net/?id=3"/>`: rules.ActionEdit,
			`<enable visiturl="https://help.corp.example.net/?pg=kb.page"><instruction>Do</instruction></enable><documentation url="https://help.corp.example.net/?id=3"/>`:                  rules.ActionEdit,
			`<documentation url="https://help.corp.example.net/?id=3"/>`: rules.ActionPass,
			`<documentation url="https://help.corp.example.net/?id=3"/><oAuth2><issuer>login.corp.example.net</issuer><tokenURL>https://login.corp.example.net/?to=stranger.net</tokenURL></oAuth2>`: rules.ActionRefuse,
		} {
			d := judged(p, question("https://autoconfig.corp.example.net/mail/config-v1.1.xml"), dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(
				`<clientConfig version="1.1"><emailProvider id="corp.example.net"><domain>corp.example.net</domain><incomingServer type="imap"><hostname>imap.corp.example.net</hostname></incomingServer>` + pages + `</emailProvider></clientConfig>`)})
			if body := string(d.Answer.Body); d.Action != want || want == rules.ActionEdit && (!strings.Contains(body, ">imap.corp.example.net<") || !strings.Contains(body, "/?id=3") || strings.Contains(body, "pg=kb")) {
				t.Errorf("%v, %s: %v, %s: %s", otherwise, pages, d.Action, d.Reason, body)
			}
		}
	}
}

// TestLeak_namesBelowAndAroundWhatWasTakenOut: a stranger that is taken out takes nothing along that only has its name in it, and is left nowhere.
func TestLeak_namesBelowAndAroundWhatWasTakenOut(t *testing.T) {
	p := withRules(t, rules.Rule{
		Name: "corp", Domains: []string{"corp.example.net"}, Allow: []string{"*.corp.example.net", "mail.hoster.net"}, Otherwise: rules.RemoveStrangers,
	})
	const page = `<documentation url="https://hoster.net/help"><descr>Help</descr></documentation>`
	for _, c := range []struct {
		name, dialect, others string
		want                  rules.Action
	}{
		{"a host below it", "config", page, rules.ActionEdit},
		{"a host below it, written to the root", "config", page + `<enable>mail.hoster.net.</enable>`, rules.ActionEdit},
		{"a URL of a host below it", "config", page + `<webMail><loginPage url="https://mail.hoster.net:8443/?d=mail.hoster.net"/></webMail>`, rules.ActionEdit},
		{"another host below it", "config", page + `<enable>imap.hoster.net</enable>`, rules.ActionRefuse},
		{"it itself", "config", page + `<enable>hoster.net</enable>`, rules.ActionRefuse},
		{"a name that ends like it", "config", page + `<enable>mail-hoster.net</enable>`, rules.ActionRefuse},
		{"a name that goes on", "config", page + `<enable>mail.hoster.net.x</enable>`, rules.ActionRefuse},
		{"in an escape", "config", page + `<enable>\nhoster.net</enable>`, rules.ActionRefuse},
		{"in an address", "config", page + `<enable>help@hoster.net</enable>`, rules.ActionRefuse},
		{"the company's web site", "config", strings.ReplaceAll(page, "hoster.net", "corp.example.net"), rules.ActionEdit},
		{"the company's web site, and an address", "config", strings.ReplaceAll(page, "hoster.net", "corp.example.net") + `<enable>help.desk@corp.example.net</enable>`, rules.ActionEdit},
		{"the company's web site, and an address that begins like a host", "config", strings.ReplaceAll(page, "hoster.net", "corp.example.net") + `<enable>wei.li@corp.example.net</enable>`, rules.ActionEdit},
		{"the company's web site, elsewhere", "config", strings.ReplaceAll(page, "hoster.net", "corp.example.net") + `<enable>corp.example.net</enable>`, rules.ActionRefuse},
		{"the company's web site, as user information", "config", strings.ReplaceAll(page, "hoster.net", "corp.example.net") + `<enable>https:help@corp.example.net</enable>`, rules.ActionRefuse},
		{"the company's web site, and pages that say the domain", "config", strings.ReplaceAll(page, "hoster.net", "corp.example.net") +
			`<documentation url="https://help.corp.example.net/?domain=corp.example.net"/><documentation url="https://help.corp.example.net/?m=jane%40corp.example.net"/>`, rules.ActionEdit},
		{"the company's web site, and its name as people write it", "config", strings.ReplaceAll(page, "hoster.net", "corp.example.net") + `<displayShortName>Corp.Example.NET</displayShortName>`, rules.ActionEdit},
		{"the company's web site, and its name in other words", "config", strings.ReplaceAll(page, "hoster.net", "corp.example.net") + `<displayShortName>Corp.Example.NET mail</displayShortName>`, rules.ActionRefuse},
		{"a server called like the domain", "pox", `<Protocol><Type>POP3</Type><Server>corp.example.net</Server></Protocol>`, rules.ActionEdit},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := question("https://autoconfig.corp.example.net/mail/config-v1.1.xml?emailaddress=jane%40corp.example.net")
			body := `<clientConfig version="1.1"><emailProvider id="corp.example.net"><domain>corp.example.net</domain><displayName>corp.example.net</displayName>` +
				`<incomingServer type="imap"><hostname>mail.hoster.net</hostname><username>jane@corp.example.net</username></incomingServer>` + c.others + `</emailProvider></clientConfig>`
			if c.dialect == "pox" {
				r = poxQuestion("corp.example.net")
				body = `<Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>mail.hoster.net</Server><LoginName>user@corp.example.net</LoginName></Protocol>` + c.others + `</Account></Response></Autodiscover>`
			}
			d := judged(p, r, dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(body)})
			if d.Action != c.want || c.want == rules.ActionEdit && !strings.Contains(string(d.Answer.Body), ">mail.hoster.net<") {
				t.Errorf("%v, %s (%v): %s", d.Action, d.Reason, d.Err, d.Answer.Body)
			}
		})
	}
}
