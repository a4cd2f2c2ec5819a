package dialect

import (
	"slices"
	"testing"
)

// TestRead_whomItIsAbout: an answer that names its account is about that, whoever asked: the account's rule applies to it.
func TestRead_whomItIsAbout(t *testing.T) {
	const json, xml = "application/json", "text/xml"
	for name, c := range map[string]struct {
		dialect         ID
		mediaType, body string
	}{
		"POX, the mailbox":       {POX, xml, `<Autodiscover><Response><User><AutoDiscoverSMTPAddress>u@lab.test</AutoDiscoverSMTPAddress></User><Account><Protocol><Server>mail.shop.com</Server></Protocol></Account></Response></Autodiscover>`},
		"POX, the question":      {POX, xml, `<Autodiscover><Response><User><EMailAddress>u@lab.test</EMailAddress></User><Account><Protocol><Server>mail.shop.com</Server></Protocol></Account></Response></Autodiscover>`},
		"mobilesync":             {MobileSync, xml, `<Autodiscover><Response><User><EMailAddress>u@lab.test</EMailAddress></User><Action><Settings><Server><Url>https://mail.shop.com/</Url></Server></Settings></Action></Response></Autodiscover>`},
		"SOAP":                   {SOAP, xml, string(soapAnswer(soapUser(soapValue("AutoDiscoverSMTPAddress", "u@lab.test"))).Body)},
		"identity, a login":      {Identity, json, `{"Login":"u@lab.test","AuthURL":"https://login.shop.com/"}`},
		"identity, a user":       {Identity, json, `{"Username":"u@lab.test","AuthURL":"https://login.shop.com/"}`},
		"identity, a domain":     {Identity, json, `{"DomainName":"lab.test","AuthURL":"https://login.shop.com/"}`},
		"identity, its old name": {Identity, json, `{"domain_name":"lab.test","AuthURL":"https://login.shop.com/"}`},
		"identity, in XML":       {Identity, xml, `<RealmInfo><Login>u@lab.test</Login><AuthURL>https://login.shop.com/</AuthURL></RealmInfo>`},
		"JMAP":                   {JMAP, json, `{"username":"u@lab.test","apiUrl":"https://jmap.shop.com/","capabilities":{}}`},
		"JMAP, an account":       {JMAP, json, `{"accounts":{"a":{"name":"u@lab.test"}},"apiUrl":"https://jmap.shop.com/","capabilities":{}}`},
		"AutoDetect":             {Autodetect, json, `{"email":"u@lab.test","protocols":[{"protocol":"imap","hostname":"imap.shop.com"}]}`},
		"autoconfig":             {Autoconfig, xml, `<clientConfig><emailProvider id="lab.test"><domain>lab.test</domain><incomingServer type="imap"><hostname>imap.shop.com</hostname></incomingServer></emailProvider></clientConfig>`},
		"a profile":              {MobileConfig, xml, `<plist version="1.0"><dict><key>EmailAddress</key><string>u@lab.test</string><key>IncomingMailServerHostName</key><string>imap.shop.com</string></dict></plist>`},
	} {
		q := Inquiry{Dialect: c.dialect, Request: ask(t, "GET", "https://hoster.net/", "")}
		doc, err := Read(q, Answer{Status: 200, Header: Header{"Content-Type": {c.mediaType}}, Body: []byte(c.body)})
		if err != nil || len(doc.Subjects) == 0 || slices.ContainsFunc(doc.Subjects, func(s Subject) bool { return s.Domain != "lab.test" }) {
			t.Errorf("%s: about %+v, %v", name, doc.Subjects, err)
		}
	}
}
