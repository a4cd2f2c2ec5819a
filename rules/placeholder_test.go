package rules_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

const placeholderQuestion = `<s:Envelope xmlns:a="http://schemas.microsoft.com/exchange/2010/Autodiscover" xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` +
	`<a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>DUMMY@example.com</a:Mailbox></a:User></a:Users></a:Request></a:GetUserSettingsRequestMessage></s:Body></s:Envelope>`

// exchangelib asks how to log in in the name of an account of its own, on a documentation name. That costs nobody the log-in at a server of their own, and gives nobody settings.
func TestPolicy_Plan_placeholder(t *testing.T) {
	const (
		question                       = placeholderQuestion
		own, central, hoster, reserved = "autodiscover.corp.example.net", "outlook.office365.com", "ex.hoster.org", "autodiscover.example.com"
		stranger                       = "ex.stranger.net"
	)
	settings := func(host string) dialect.Answer {
		return dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` +
			`<GetUserSettingsResponseMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"><Response><ErrorCode>NoError</ErrorCode><UserResponses><UserResponse><ErrorCode>NoError</ErrorCode>` +
			`<UserSettings><UserSetting><Name>ExternalEwsUrl</Name><Value>https://` + host + `/EWS/Exchange.asmx</Value></UserSetting></UserSettings></UserResponse></UserResponses></Response>` +
			`</GetUserSettingsResponseMessage></s:Body></s:Envelope>`)}
	}
	challenge := dialect.Answer{Status: http.StatusUnauthorized, Header: dialect.Header{"Www-Authenticate": {`Bearer authorization_uri="https://login.windows.net/common"`, `Basic realm="mail"`}}}
	mailbox := func(other string) string { return strings.ReplaceAll(question, "DUMMY@example.com", other) }
	p, err := rules.New(rules.Config{
		Services: map[string]rules.Mode{"office365": rules.Enforce},
		Rules:    []rules.Rule{{Name: "pin", Domains: []string{"corp.example.net"}, Allow: []string{"*.corp.example.net"}, Otherwise: rules.RemoveStrangers}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		host, body string
		header     dialect.Header
		answer     dialect.Answer
		step       rules.Step
		want       rules.Action
	}{
		"an own server asks for the password":        {own, question, nil, challenge, rules.Forward, rules.ActionEdit},
		"a central service does":                     {central, question, nil, challenge, rules.Forward, rules.ActionPass},
		"a server of nobody guarded does":            {hoster, question, nil, challenge, rules.Forward, rules.ActionPass},
		"a documentation name's does":                {reserved, question, nil, challenge, rules.Refuse, rules.ActionRefuse},
		"an own server has settings":                 {own, question, nil, settings(own), rules.Forward, rules.ActionRefuse},
		"a central service has":                      {central, question, nil, settings(stranger), rules.Forward, rules.ActionRefuse},
		"a server of nobody guarded has":             {hoster, question, nil, settings(hoster), rules.Forward, rules.ActionRefuse},
		"sent on":                                    {hoster, question, nil, dialect.Answer{Status: http.StatusFound, Header: dialect.Header{"Location": {"https://" + stranger}}}, rules.Forward, rules.ActionRefuse},
		"in the header, too":                         {own, question, dialect.Header{"X-Anchormailbox": {"DUMMY@example.com"}}, challenge, rules.Forward, rules.ActionEdit},
		"another one in the header":                  {own, question, dialect.Header{"X-Anchormailbox": {"user@example.com"}}, challenge, rules.Refuse, rules.ActionRefuse},
		"with a password":                            {own, question, dialect.Header{"Authorization": {basic("user@corp.example.net:secret")}}, challenge, rules.Refuse, rules.ActionRefuse},
		"with a cookie":                              {central, question, dialect.Header{"Cookie": {"session=secret"}}, challenge, rules.Scrub, rules.ActionRefuse},
		"with a token in the body":                   {own, strings.Replace(question, "<s:Body>", "<s:Header><wsse:Security/></s:Header><s:Body>", 1), nil, challenge, rules.Refuse, rules.ActionRefuse},
		"somebody's account, which is written lower": {own, mailbox("dummy@example.com"), nil, challenge, rules.Refuse, rules.ActionRefuse},
		"two are asked about":                        {own, mailbox("DUMMY@example.com</a:Mailbox></a:User><a:User><a:Mailbox>DUMMY@example.com"), nil, challenge, rules.Refuse, rules.ActionRefuse},
		"cut off":                                    {own, question[:len(question)-20], nil, challenge, rules.Refuse, rules.ActionRefuse},
	} {
		r := questionTo("https://"+c.host+"/autodiscover/autodiscover.svc", c.body)
		maps.Copy(r.Header, c.header)
		plan := p.Plan(r, rules.From{})
		d := plan.Decision
		if plan.Step == rules.Forward || plan.Step == rules.Scrub {
			d = p.Judge(&plan, c.answer)
		}
		if plan.Step != c.step || d.Action != c.want {
			t.Errorf("%s: %v, %v: %s", name, plan.Step, d.Action, d.Reason)
		}
		if !plan.Guarded {
			t.Errorf("%s: what cannot be decided would pass", name)
		}
		if d.Action == rules.ActionRefuse && (d.Answer.Status != http.StatusOK || strings.Contains(string(d.Answer.Body), "https://")) {
			t.Errorf("%s: refused with %d %s", name, d.Answer.Status, d.Answer.Body)
		}
	}
}

// Where rules only monitor the placeholder's domain, an upstream that fails is told of as to anybody, as it would be without the guard.
func TestPolicy_Unanswered_placeholderMonitored(t *testing.T) {
	watched := rules.Rule{Name: "watch", Domains: []string{"example.com"}, Mode: rules.Monitor}
	for want, p := range map[rules.Action]*rules.Policy{rules.ActionPass: withRules(t, watched), rules.ActionRefuse: builtin(t)} {
		plan := p.Plan(questionTo("https://ex.hoster.org/autodiscover/autodiscover.svc", placeholderQuestion), rules.From{})
		if d := p.Unanswered(&plan, "no answer"); plan.Step != rules.Forward || d.Action != want {
			t.Errorf("%v, %v, want %v", plan.Step, d.Action, want)
		}
	}
}

// questionTo is a POST of a body to rawURL.
func questionTo(rawURL, body string) dialect.Request {
	r := question(rawURL)
	r.Method, r.Header["Content-Type"], r.Body = http.MethodPost, []string{"text/xml; charset=utf-8"}, []byte(body)
	return r
}
