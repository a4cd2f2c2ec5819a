package rules_test

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// mailboxes are names that read like hosts, as people's do: each ends in a top-level domain.
var mailboxes = []string{"wei.li", "anna.schmidt", "max.su", "info.mail.team", "Jan.Black"}

// renamed is an exchange of which the mailbox "user" is called otherwise, wherever it stands.
func renamed(t *testing.T, x exchange, mailbox string) (dialect.Request, dialect.Answer) {
	t.Helper()
	names := strings.NewReplacer("user@", mailbox+"@", "user%40", mailbox+"%40", "user%2540", mailbox+"%2540", "/user/", "/"+mailbox+"/", ">user<", ">"+mailbox+"<")
	fields := func(h dialect.Header) dialect.Header {
		h = h.Clone()
		for name, values := range h {
			for i, v := range values {
				if user, isBasic := strings.CutPrefix(v, "Basic "); isBasic && name == "Authorization" {
					decoded, _ := base64.StdEncoding.DecodeString(user)
					values[i] = "Basic " + base64.StdEncoding.EncodeToString([]byte(names.Replace(string(decoded))))
					continue
				}
				values[i] = names.Replace(v)
			}
		}
		return h
	}
	r, a := x.request, x.answer
	u, err := url.Parse(names.Replace(r.URL.String()))
	if err != nil {
		t.Fatal(err)
	}
	r.URL, r.Header, r.Body = u, fields(r.Header), []byte(names.Replace(string(r.Body)))
	a.Header, a.Body = fields(a.Header), []byte(names.Replace(string(a.Body)))
	return r, a
}

// TestProperty_mailboxInvariance: whatever a mailbox is called, its owner gets the same answer.
func TestProperty_mailboxInvariance(t *testing.T) {
	for _, x := range loadCorpus(t) {
		p := policyFor(t, x)
		_, want := decide(p, x.request, x.answer)
		for _, mailbox := range mailboxes {
			r, a := renamed(t, x, mailbox)
			if _, got := decide(p, r, a); got.Action != want.Action || got.Reason != want.Reason {
				t.Errorf("%s, %s: %v, %s; want %v, %s", x.name, mailbox, got.Action, got.Reason, want.Action, want.Reason)
			}
		}
	}
}

// software is what servers say of themselves.
var software = []dialect.Header{
	{"Server": {"Microsoft-IIS/10.0"}, "X-Powered-By": {"ASP.NET"}, "X-Aspnet-Version": {"4.0.30319"}, "X-Feserver": {"EX01"}, "X-Diaginfo": {"EX01"}, "X-Owa-Version": {"15.2.1544.4"}},
	{"Server": {"Apache/2.4.58 (Ubuntu) OpenSSL/3.0.13"}, "X-Powered-By": {"PHP/8.2.7"}, "Dav": {"1, 3, extended-mkcol, access-control, calendarserver-principal-property-search"}},
	{"Server": {"nginx/1.24.0"}, "Strict-Transport-Security": {"max-age=31536000; includeSubDomains"}, "Alt-Svc": {`h3=":443"; ma=86400`}, "Via": {"1.1 varnish (Varnish/7.1)"}},
}

// TestProperty_softwareInvariance: whatever software answers, and says so, the answer is the same.
func TestProperty_softwareInvariance(t *testing.T) {
	for _, x := range loadCorpus(t) {
		p := policyFor(t, x)
		_, want := decide(p, x.request, x.answer)
		for _, fields := range software {
			a := x.answer
			a.Header = x.answer.Header.Clone()
			for name, values := range fields {
				a.Header[name] = append(a.Header[name], values...)
			}
			if _, got := decide(p, x.request, a); got.Action != want.Action || got.Reason != want.Reason {
				t.Errorf("%s, %v: %v, %s; want %v, %s", x.name, fields["Server"], got.Action, got.Reason, want.Action, want.Reason)
			}
		}
	}
}

// pages are what servers put beside a challenge, by themselves.
var pages = map[string]string{
	"none":   "",
	"Apache": `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">` + "\n" + `<html><head><title>401 Unauthorized</title></head><body><h1>Unauthorized</h1><address>Apache/2.4.58 (Ubuntu) Server at mail.lab.test Port 443</address></body></html>`,
	"IIS":    `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">` + "\r\n" + `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>401</title></head><body><h2>401 - Unauthorized</h2></body></html>`,
	"nginx":  "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n<center><h1>401 Authorization Required</h1></center>\r\n<hr><center>nginx/1.24.0</center>\r\n</body>\r\n</html>\r\n",
}

// TestOwnChallenge_passes: what a server of the domain's own asks for passes untouched, in every dialect and with the pages that servers have for it.
func TestOwnChallenge_passes(t *testing.T) {
	p := builtin(t)
	asked := map[dialect.ID]bool{}
	for _, x := range loadCorpus(t) {
		q, ok := dialect.Recognise(x.request)
		if host := x.request.Host(); !ok || host != "lab.test" && !strings.HasSuffix(host, ".lab.test") {
			continue
		}
		asked[q.Dialect] = true
		for server, page := range pages {
			for _, fields := range software {
				h := fields.Clone()
				h["Content-Type"], h["Www-Authenticate"] = []string{"text/html"}, []string{"Negotiate", "NTLM", `Basic realm="mail.lab.test"`}
				if _, d := decide(p, x.request, dialect.Answer{Status: 401, Header: h, Body: []byte(page)}); d.Action != rules.ActionPass {
					t.Errorf("%s, %s, %v: %v, %s", x.name, server, fields["Server"], d.Action, d.Reason)
				}
			}
		}
	}
	for _, id := range []dialect.ID{dialect.POX, dialect.SOAP, dialect.V2, dialect.MobileSync, dialect.Autoconfig, dialect.PACC, dialect.MobileConfig, dialect.JMAP, dialect.DAV} {
		if !asked[id] {
			t.Errorf("no host of the lab's own is asked in %v", id)
		}
	}
}

// TestOwnChallenge_bareWhereStrangersStand: what else such an answer names does not keep the client from logging in, and does not reach it.
func TestOwnChallenge_bareWhereStrangersStand(t *testing.T) {
	p := builtin(t)
	for name, a := range map[string]dialect.Answer{
		"a realm":                     {Header: dialect.Header{"Www-Authenticate": {"Negotiate", `basic realm="Webmail of stranger.net", charset="UTF-8"`, `Digest realm="stranger.net", nonce="x"`}}},
		"joined":                      {Header: dialect.Header{"Www-Authenticate": {`Bearer client_id="a, b", trusted_issuers="x@*", authorization_uri="https://login.stranger.net/common/oauth2/authorize" ,Negotiate, basic realm="stranger.net", charset="UTF-8",`}}},
		"blanks at the equals sign":   {Header: dialect.Header{"Www-Authenticate": {`Bearer authorization_uri = "https://login.stranger.net/", client_id = "a"`, "Negotiate", `Basic realm = "stranger.net" , charset ="UTF-8"`}}},
		"no scheme":                   {Header: dialect.Header{"Www-Authenticate": {`, realm="stranger.net"`, "Negotiate", `Basic realm="stranger.net"`}}},
		"parameters in another field": {Header: dialect.Header{"Www-Authenticate": {`Bearer authorization_uri="https://login.stranger.net/"`, `client_id="a"`, "Negotiate", `Basic realm="stranger.net"`}}},
		"a backslash and no quotes":   {Header: dialect.Header{"Www-Authenticate": {`Bearer authorization_uri=https://login.stranger.net/\, Negotiate, Basic realm="stranger.net"`}}},
		"a quoted comma":              {Header: dialect.Header{"Www-Authenticate": {`Bearer realm="a\", Basic \"b", authorization_uri="https://login.stranger.net/", Negotiate, Basic realm="stranger.net"`}}},
		"a field":                     {Header: dialect.Header{"Report-To": {`{"endpoints":[{"url":"https:\/\/report.stranger.net\/v4"}],"group":"nel","max_age":604800}`}}},
		"software":                    {Header: dialect.Header{"X-Powered-By": {"stranger.net"}}},
		"a cookie":                    {Header: dialect.Header{"Set-Cookie": {"sid=1; Domain=stranger.net"}}},
		"a page":                      {Header: dialect.Header{"Content-Type": {"text/html"}}, Body: []byte(`<html><a href="https://help.stranger.net/">Help</a></html>`)},
	} {
		want := []string{"Negotiate", `Basic realm="autodiscover.lab.test"`}
		if a.Status = 401; a.Header["Www-Authenticate"] == nil {
			want = []string{"Negotiate", `Basic realm="Lab"`}
			a.Header["Www-Authenticate"] = want
		}
		r := poxQuestion("lab.test")
		_, d := decide(p, r, a)
		if d.Action != rules.ActionEdit || d.Answer.Status != 401 || !slices.Equal(d.Answer.Header["Www-Authenticate"], want) ||
			strings.Contains(string(message(d.Answer)), "stranger") || len(d.Answer.Body) > 0 {
			t.Errorf("%s: %v, %s: %s", name, d.Action, d.Reason, message(d.Answer))
		}
		if _, again := decide(p, r, d.Answer); again.Action != rules.ActionPass {
			t.Errorf("%s: judged again: %v, %s", name, again.Action, again.Reason)
		}
	}
}

// TestOwnChallenge_bareWhereSettingsAreDoubtful: KDE reads settings at any status, and in more ways than the independent check knows.
func TestOwnChallenge_bareWhereSettingsAreDoubtful(t *testing.T) {
	const settings = `<clientConfig version="1.1"><emailProvider id="lab.test"><incomingServer type="imap"><hostname>mail.lab.test</hostname></incomingServer></emailProvider></clientConfig>`
	for body, want := range map[string]rules.Action{
		strings.ReplaceAll(settings, "</hostname>", "</hostname><username>%EMAILLOCALPART%@mail%EMAILDOMAIN%</username>"): rules.ActionEdit,
		settings: rules.ActionPass,
		strings.ReplaceAll(settings, "mail.lab.test", "stranger"):        rules.ActionEdit, // whom the client's network calls so
		strings.ReplaceAll(settings, "mail.lab.test", "mail<!-- -->"):    rules.ActionEdit,
		strings.ReplaceAll(settings, "<hostname>", "<!-- --><hostname>"): rules.ActionEdit,
		strings.TrimSuffix(settings, "</clientConfig>"):                  rules.ActionEdit,
	} {
		a := said("text/xml", body)
		a.Status, a.Header["Www-Authenticate"] = 401, []string{`Basic realm="Lab"`}
		if _, d := decide(builtin(t), question("https://autoconfig.lab.test/mail/config-v1.1.xml?emailaddress=user%40lab.test"), a); d.Action != want || len(d.Answer.Body) > 0 {
			t.Errorf("%s: %v, %s: %s", body, d.Action, d.Reason, d.Answer.Body)
		}
	}
}

// TestJudge_displayNames: what people and companies are called costs no own answer, wherever it stands; a server's name there does.
func TestJudge_displayNames(t *testing.T) {
	p := builtin(t)
	soap := poxQuestion("lab.test")
	soap.URL.Path = "/autodiscover/autodiscover.svc"
	soap.Body = []byte("<Envelope><Body><Mailbox>user@lab.test</Mailbox></Body></Envelope>")
	const settings = `<Envelope><Body><UserResponse><UserSettings><UserSetting><Name>ExternalEwsUrl</Name><Value>https://mail.lab.test/EWS</Value></UserSetting>`
	for place, c := range map[string]struct {
		question dialect.Request
		answer   dialect.Answer
	}{
		"pox":                    {poxQuestion("lab.test"), said("text/xml", "<Autodiscover><Response><User><DisplayName>NAME</DisplayName></User><Account><Protocol><Type>IMAP</Type><Server>mail.lab.test</Server></Protocol></Account></Response></Autodiscover>")},
		"soap":                   {soap, said("text/xml", settings+"<UserSetting><Name>UserDisplayName</Name> <Value>NAME</Value></UserSetting></UserSettings></UserResponse></Body></Envelope>")},
		"soap, a second mailbox": {soap, said("text/xml", settings+"<UserSetting><Name>AlternateMailboxes</Name><AlternateMailboxes><AlternateMailbox><a:DisplayName xml:lang='de'>NAME</a:DisplayName><Server>x@lab.test</Server></AlternateMailbox></AlternateMailboxes></UserSetting></UserSettings></UserResponse></Body></Envelope>")},
		"autoconfig":             {question("https://autoconfig.lab.test/mail/config-v1.1.xml"), said("text/xml", `<clientConfig><emailProvider id="lab.test"><displayShortName>NAME</displayShortName><incomingServer type="imap"><hostname>mail.lab.test</hostname></incomingServer></emailProvider></clientConfig>`)},
		"autoconfig, a page":     {question("https://autoconfig.lab.test/mail/config-v1.1.xml"), said("text/xml", `<clientConfig><emailProvider id="lab.test"><incomingServer type="imap"><hostname>mail.lab.test</hostname></incomingServer><documentation url="https://lab.test/"><descr lang="de">NAME</descr></documentation></emailProvider></clientConfig>`)},
		"profile":                {profileQuestion("lab.test"), said("application/x-apple-aspen-config", `<plist version="1.0"><dict><key>PayloadOrganization</key> <string>NAME</string><key>PayloadContent</key><array><dict><key>IncomingMailServerHostName</key><string>mail.lab.test</string></dict></array></dict></plist>`)},
		"session":                {question("https://mail.lab.test/.well-known/jmap"), said("application/json", `{"apiUrl":"/","accounts":{"a":{"name":"NAME"}}}`)},
	} {
		for name, want := range map[string]string{
			"J.de Boer": "J. de Boer", "Praxis Dr.med. Schmidt, A.Schmidt (wei@lab.test)": "Praxis Dr. med. Schmidt, A. Schmidt (wei@lab.test)", "Muster GmbH &amp; Co.KG": "Muster GmbH &amp; Co. KG",
			"ask imap.stranger.net": "", "ask //stranger.net/": "", "ask stranger%2enet": "",
		} {
			a := c.answer
			a.Body = []byte(strings.ReplaceAll(string(a.Body), "NAME", name))
			_, d := decide(p, c.question, a)
			if action := map[bool]rules.Action{true: rules.ActionRefuse, false: rules.ActionEdit}[want == ""]; d.Action != action || !strings.Contains(string(d.Answer.Body), want) {
				t.Errorf("%s, %s: %v, %s: %s", place, name, d.Action, d.Reason, d.Answer.Body)
			}
		}
	}
	x := said("text/xml", "<Autodiscover><Response><User><DisplayName>Stranger.net Mail</DisplayName></User><Account><Protocol><Server>stranger.net</Server></Protocol><Protocol><Server>mail.lab.test</Server></Protocol></Account></Response></Autodiscover>")
	if _, d := decide(p, poxQuestion("lab.test"), x); d.Action != rules.ActionRefuse {
		t.Errorf("a host that was taken out: %v, %s", d.Action, d.Reason)
	}
	x.Body = []byte(strings.Replace(string(x.Body), "Stranger.net Mail", "J.de Boer", 1))
	if _, d := decide(p, poxQuestion("lab.test"), x); d.Action != rules.ActionEdit || !strings.Contains(string(d.Answer.Body), "J. de Boer") {
		t.Errorf("beside a host that was taken out: %v, %s: %s", d.Action, d.Reason, d.Answer.Body)
	}
	// Who is called like a host at lab.test is nobody's server, but where that host was taken out.
	for server, want := range map[string]rules.Action{"stranger.net": rules.ActionRefuse, "stranger.org": rules.ActionEdit, "mail.lab.test": rules.ActionPass} {
		x := said("text/xml", "<Autodiscover><Response><Account><Protocol><Server>mail.lab.test</Server><LoginName>stranger.net@lab.test</LoginName></Protocol><Protocol><Server>"+server+"</Server></Protocol></Account></Response></Autodiscover>")
		if _, d := decide(p, poxQuestion("lab.test"), x); d.Action != want {
			t.Errorf("a login beside %s: %v, %s: %s", server, d.Action, d.Reason, d.Answer.Body)
		}
	}
}

// TestJudge_capabilities: of a session, what is at a stranger's goes, and what is at home stays.
func TestJudge_capabilities(t *testing.T) {
	const home, away = `"urn:ietf:params:jmap:websocket":{"url":"wss://mail.lab.test/ws"}`, `"urn:example:chat":{"url":"https://chat.stranger.net/"}`
	a := said("application/json", `{"apiUrl":"/api/","capabilities":{`+away+`,`+home+`},"accounts":{}}`)
	_, d := decide(builtin(t), question("https://mail.lab.test/.well-known/jmap"), a)
	if body := string(d.Answer.Body); d.Action != rules.ActionEdit || !strings.Contains(body, home) || strings.Contains(body, "chat") {
		t.Errorf("%v, %s: %s", d.Action, d.Reason, body)
	}
}

// What reads like an address and is none costs no own answer: of which version Exchange is. (Whom a resolver has asked: corpus, doh.)
func TestJudge_readsLikeAnAddress(t *testing.T) {
	p := withRules(t, rules.Rule{Name: "corp", Domains: []string{"corp.example.net"}, Allow: []string{"*.corp.example.net"}})
	soap := question("https://autodiscover.corp.example.net/autodiscover/autodiscover.svc")
	soap.Method, soap.Body = "POST", []byte(`<Envelope><Body><GetUserSettingsRequestMessage><Request><Users><User><Mailbox>user@corp.example.net</Mailbox></User></Users></Request></GetUserSettingsRequestMessage></Body></Envelope>`)
	for inside, want := range map[string]rules.Action{
		"<Name>MailboxVersion</Name><Value>14.3.123.4</Value>": rules.ActionPass, "<x:Name>CasVersion</x:Name>\n<x:Value>15.20.1.2</x:Value>": rules.ActionPass,
		"<Name>OtherVersion</Name><Value>14.3.123.4</Value>": rules.ActionRefuse, "<Name>MailboxVersion</Name><Value>14.3.123.4 x</Value>": rules.ActionRefuse,
	} {
		x := said("text/xml", `<Envelope xmlns:x="u"><Body><Response><UserResponses><UserResponse><UserSettings><UserSetting><Name>ExternalEwsUrl</Name><Value>https://mail.corp.example.net/EWS</Value></UserSetting><UserSetting>`+
			inside+`</UserSetting></UserSettings></UserResponse></UserResponses></Response></Body></Envelope>`)
		if _, d := decide(p, soap, x); d.Action != want {
			t.Errorf("%s: %v, %s", inside, d.Action, d.Reason)
		}
	}
}

// TestJudge_networkRequirements: where a Protocol is of use is nobody's server, wherever it is; the same address in any other place is.
func TestJudge_networkRequirements(t *testing.T) {
	p := withRules(t, rules.Rule{Name: "corp", Domains: []string{"corp.example.net"}, Allow: []string{"*.corp.example.net"}})
	const networks = "<NetworkRequirements><IPv4Start>198.51.100.0</IPv4Start><IPv4End> 198.51.100.255\n</IPv4End><IPv6Start>2606:4700::</IPv6Start><IPv6End>2606:4700::ffff</IPv6End></NetworkRequirements>"
	for inside, want := range map[string]rules.Action{
		networks: rules.ActionPass, networks + "<x>198.51.100.0</x>": rules.ActionRefuse, strings.ReplaceAll(networks, "IPv4", "x:IPv4"): rules.ActionRefuse,
		strings.Replace(networks, "198.51.100.0", "stranger.net", 1): rules.ActionRefuse, "<IPv4Start>8.8.8.8 stranger.net</IPv4Start>": rules.ActionRefuse, networks + "<Server>198.51.100.255</Server>": rules.ActionRefuse,
	} {
		x := said("text/xml", "<Autodiscover><Response><Account><Protocol><Type>EXCH</Type><Server>mail.corp.example.net</Server>"+inside+"</Protocol></Account></Response></Autodiscover>")
		if _, d := decide(p, poxQuestion("corp.example.net"), x); d.Action != want {
			t.Errorf("%s: %v, %s", inside, d.Action, d.Reason)
		}
	}
	remove := withRules(t, rules.Rule{Name: "corp", Domains: []string{"corp.example.net"}, Allow: []string{"*.corp.example.net"}, Otherwise: rules.RemoveStrangers})
	for server, want := range map[string]rules.Action{"198.51.100.9": rules.ActionEdit, "198.51.100.255": rules.ActionRefuse} { // the one that was taken out is left nowhere
		x := said("text/xml", "<Autodiscover><Response><Account><Protocol><Type>EXCH</Type><Server>mail.corp.example.net</Server>"+networks+"</Protocol><Protocol><Type>IMAP</Type><Server>"+server+"</Server></Protocol></Account></Response></Autodiscover>")
		if _, d := decide(remove, poxQuestion("corp.example.net"), x); d.Action != want {
			t.Errorf("beside %s: %v, %s", server, d.Action, d.Reason)
		}
	}
}
