package rules_test

import (
	"net/http"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// Clients ask one place after another: what one of them has nothing for is said of that place alone, where the domain may have servers elsewhere. Evolution, GNOME Online Accounts and exchangelib
// end their look-up at the first document that says "nothing". KDE ends at the ISPDB's and at an empty body, and circles behind any other at its last place. The ISPDB's 404 sends Evolution to
// whoever serves the domain's names, and all but a document at v1.ispdb.net sends GNOME Online Accounts to whoever takes its mail: of neither's settings can be told for whom they are.
func TestElsewhere(t *testing.T) {
	const (
		config    = "/mail/config-v1.1.xml"
		lastPlace = "/.well-known/autoconfig/mail/config-v1.1.xml"
		ispdb     = "autoconfig.thunderbird.net"
		poxAt     = "/autodiscover/autodiscover.xml"
		soapAt    = "/autodiscover/autodiscover.svc"
		pox       = `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>user@DOMAIN</EMailAddress></Request></Autodiscover>`
		soap      = `<Envelope><Body><GetUserSettingsRequestMessage><Request><Users><User><Mailbox>user@DOMAIN</Mailbox></User></Users></Request></GetUserSettingsRequestMessage></Body></Envelope>`
		page      = `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN"><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1><hr><p>served by <a href=http://stranger.net/>us</a></body>`
		noUser    = `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"><Response><Error Time="10:00:00.0000000" Id="1"><ErrorCode>500</ErrorCode>` +
			`<Message>unknown</Message><DebugData/></Error></Response></Autodiscover>`
		stranger = `<clientConfig><emailProvider id="lab.test"><domain>lab.test</domain><incomingServer type="imap"><hostname>imap.stranger.net</hostname></incomingServer></emailProvider></clientConfig>`
		pinned   = "corp.example.net"
	)
	p, err := rules.New(rules.Config{
		Services: map[string]rules.Mode{"office365": rules.Enforce},
		Rules: []rules.Rule{
			{Name: "pin", Domains: []string{pinned}, Allow: []string{"*." + pinned}, Otherwise: rules.RemoveStrangers},
			{Name: "silent", Domains: []string{"shop.example.net"}, Allow: []string{"*.shop.example.net"}, Upstream: rules.AskNever},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	answer := func(status int, body string) *dialect.Answer {
		return &dialect.Answer{Status: status, Header: dialect.Header{"Content-Type": {"text/html"}}, Body: []byte(body)}
	}
	for name, c := range map[string]struct {
		host, path, domain, body string
		answer                   *dialect.Answer // nil: there is none
		status                   int
		says                     string
	}{
		"an own host has no such place":           {"autoconfig.lab.test", "/.well-known/mail-v1.xml", "lab.test", "", answer(404, page), 404, "not found"},
		"it has an empty page":                    {"autoconfig.lab.test", config, "lab.test", "", answer(204, ""), 404, "not found"},
		"it has a page for everything":            {"autoconfig.lab.test", config, "lab.test", "", answer(200, page), 404, "not found"},
		"it does not answer":                      {"autoconfig.lab.test", config, "lab.test", "", nil, 404, "not found"},
		"it says that there is nothing":           {"autoconfig.lab.test", config, "lab.test", "", answer(200, `<clientConfig><emailProvider id="lab.test"><domain>lab.test</domain></emailProvider></clientConfig>`), 200, "</clientConfig>"},
		"a web site knows no POX":                 {"lab.test", poxAt, "lab.test", pox, answer(404, page), 404, "not found"},
		"in a page that can be read":              {"lab.test", poxAt, "lab.test", pox, answer(404, "<p/>"), 404, "not found"},
		"it is down":                              {"lab.test", soapAt, "lab.test", soap, answer(503, page), 404, "not found"},
		"there is no web site":                    {"lab.test", soapAt, "lab.test", soap, nil, 404, "not found"},
		"Exchange knows no such user":             {"lab.test", poxAt, "lab.test", pox, answer(200, noUser), 200, "<ErrorCode>500"},
		"a pinned domain's web site is not asked": {pinned, poxAt, pinned, pox, nil, 404, "not found"},
		"nor for SOAP":                            {pinned, soapAt, pinned, soap, nil, 404, "not found"},
		"nor for a file":                          {pinned, lastPlace, pinned, "", nil, 404, ""},
		"its server's last place has none":        {"lab.test", lastPlace, "lab.test", "", answer(404, page), 404, ""},
		"its server has none":                     {"autoconfig." + pinned, config, pinned, "", answer(404, page), 404, "not found"},
		"the ISPDB has nothing":                   {ispdb, "/v1.1/lab.test", "lab.test", "", answer(404, page), 410, "not found"},
		"it has nothing for a pinned domain":      {ispdb, "/v1.1/" + pinned, pinned, "", answer(404, page), 410, "not found"},
		"it is silent":                            {ispdb, "/v1.1/lab.test", "lab.test", "", nil, 410, "not found"},
		"it names a stranger":                     {ispdb, "/v1.1/lab.test", "lab.test", "", answer(200, stranger), 410, "not found"},
		"it asks for a password":                  {ispdb, "/v1.1/lab.test", "lab.test", "", answer(401, ""), 410, "not found"},
		"it is not asked":                         {ispdb, "/v1.1/shop.example.net", "shop.example.net", "", nil, 410, "not found"},
		"its draft's name has nothing":            {"v1.ispdb.net", "/lab.test", "lab.test", "", answer(404, page), 200, "</clientConfig>"},
		"it is silent, too":                       {"v1.ispdb.net", "/" + pinned, pinned, "", nil, 200, "</clientConfig>"},
		"it has nothing, and nobody may be named": {ispdb, "/v1.1/example.com", "example.com", "", answer(404, page), 200, "</clientConfig>"},
		"it is silent, and nobody may be named":   {ispdb, "/v1.1/example.com", "example.com", "", nil, 200, "</clientConfig>"},
		"a central service is not asked":          {"outlook.office365.com", poxAt, "shop.example.net", pox, nil, 200, "<ErrorCode>500"},
		"nobody may be named":                     {"autoconfig.example.com", config, "example.com", "", nil, 200, "</clientConfig>"},
		"nobody may be named in POX":              {"hoster.net", poxAt, "example.com", pox, nil, 200, "<ErrorCode>500"},
	} {
		r := question("https://" + c.host + c.path)
		if c.body != "" {
			r = questionTo("https://"+c.host+c.path, strings.ReplaceAll(c.body, "DOMAIN", c.domain))
		} else if c.host != c.domain {
			r = question("https://" + c.host + c.path + "?emailaddress=user@" + c.domain)
		}
		plan := p.Plan(r, rules.From{})
		d := plan.Decision
		switch {
		case plan.Step == rules.Refuse:
		case c.answer == nil:
			d = p.Unanswered(&plan, "nobody answers")
		default:
			d = p.Judge(&plan, *c.answer)
		}
		if d.Action != rules.ActionRefuse || d.Answer.Status != c.status || !strings.Contains(string(d.Answer.Body), c.says) || c.says == "" && len(d.Answer.Body) > 0 {
			t.Errorf("%s: %v, %v with %d %s: %s", name, plan.Step, d.Action, d.Answer.Status, d.Answer.Body, d.Reason)
		}
		if strings.Contains(string(d.Answer.Body), "stranger") || c.status != http.StatusOK && d.Answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v %s", name, d.Answer.Header, d.Answer.Body)
		}
	}
}
