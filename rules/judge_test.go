package rules_test

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// TestJudge_addresses: what no stranger can have may be named to a private-use domain, by its address too, and to nobody who may be told nothing.
func TestJudge_addresses(t *testing.T) {
	p := builtin(t)
	for host, private := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "192.168.1.20": true, "10.1.2.3": true, "[fd00::25]": true,
		"8.8.8.8": false, "[2001:4860::8888]": false, "localhost.stranger.net": false,
	} {
		body := `{"protocols":[{"protocol":"imap","hostname":"` + host + `","port":993}]}`
		for domain, may := range map[string]bool{"lab.test": private, "example.com": false} {
			_, d := decide(p, detectQuestion(domain), said("application/json", body))
			if kept := strings.Contains(string(message(d.Answer)), host) || d.Action == rules.ActionPass; kept != may {
				t.Errorf("%s to %s: %v, %s", host, domain, d.Action, d.Reason)
			}
		}
	}
}

// TestJudge_enforcesBesideMonitored: a rule that only monitors takes none of those along that enforce, wherever it stands among them.
func TestJudge_enforcesBesideMonitored(t *testing.T) {
	watched := func(name string, domains ...string) rules.Rule {
		return rules.Rule{Name: name, Domains: domains, Mode: rules.Monitor}
	}
	p := withRules(t, watched("first", "one.net"), watched("second", "two.net"))
	for _, accounts := range []string{
		"user@one.net,user@example.com", "user@example.com,user@one.net", "user@one.net,user@two.net,user@example.com", "user@one.net,user@example.com,user@two.net",
	} {
		r := detectQuestion("")
		r.Header["X-Email"] = strings.Split(accounts, ",")
		plan, d := decide(p, r, said("application/json", `{"protocols":[{"protocol":"imap","hostname":"imap.stranger.net","port":993}]}`))
		if !plan.Guarded || d.Action != rules.ActionRefuse || d.Rule != "documentation" {
			t.Errorf("%s: guarded %v, %v by %q", accounts, plan.Guarded, d.Action, d.Rule)
		}
	}
	for accounts, would := range map[string]rules.Action{"user@lab.test": 0, "user@lab.test,user@one.net": rules.ActionRefuse} {
		r := detectQuestion("")
		r.Header["X-Email"] = strings.Split(accounts, ",")
		_, d := decide(p, r, said("application/json", `{"protocols":[{"protocol":"imap","hostname":"mail.lab.test","port":993},{"protocol":"smtp","hostname":"smtp.stranger.net","port":465}]}`))
		if d.Action != rules.ActionEdit || d.Rule != "private-use" || d.Would != would {
			t.Errorf("%s: %v by %q, would %v; want that it would %v", accounts, d.Action, d.Rule, d.Would, would)
		}
	}
	r := detectQuestion("")
	r.Header["X-Email"] = []string{"user@one.net", "user@two.net"}
	if plan, _ := decide(p, r, said("application/json", "{}")); plan.Guarded {
		t.Error("rules that only monitor guard somebody")
	}
}

// TestJudge_forgetsWhoMayBeNamed: what one check has found to be no stranger is one to the next, for another domain, wherever it stands in the answer.
func TestJudge_forgetsWhoMayBeNamed(t *testing.T) {
	p := withRules(t, rules.Rule{Name: "pin", Domains: []string{"corp.example.net"}, Allow: []string{"mail.hoster.net", "*.corp.example.net"}})
	for _, c := range []struct{ text, knows, other string }{
		{"see mail.hoster.net", "corp.example.net", "lab.test"},
		{"//localhost/", "lab.test", "corp.example.net"}, // without a dot it is no word that reads like a host
	} {
		answer := func(domain string) dialect.Answer {
			return said("application/json", `{"protocols":[{"protocol":"imap","hostname":"mail.`+domain+`","port":993}],"note":"`+c.text+`"}`)
		}
		for range 20 { // checks are kept, and given away, as the runtime likes
			if _, d := decide(p, detectQuestion(c.knows), answer(c.knows)); d.Action == rules.ActionRefuse {
				t.Fatalf("%q to %s: %v, %s", c.text, c.knows, d.Action, d.Reason)
			}
			if _, d := decide(p, detectQuestion(c.other), answer(c.other)); d.Action != rules.ActionRefuse {
				t.Fatalf("%q to %s: %v, %s", c.text, c.other, d.Action, d.Reason)
			}
		}
	}
}

// TestJudge_ownNameThatWasTakenOut: the name of the account's domain may stand in words, but not where it was suggested as a server and taken out, however it is written.
func TestJudge_ownNameThatWasTakenOut(t *testing.T) {
	p := withRules(t, rules.Rule{Name: "pin", Domains: []string{"corp.example.net"}, Allow: []string{"mail.hoster.net"}, Otherwise: rules.RemoveStrangers})
	for suggested, want := range map[string]rules.Action{"": rules.ActionPass, `,{"protocol":"smtp","hostname":"corp.example.net","port":465}`: rules.ActionRefuse} {
		for _, word := range []string{"corp.example.net", "corp。example。net"} {
			body := `{"protocols":[{"protocol":"imap","hostname":"mail.hoster.net","port":993}` + suggested + `],"note":"mail of ` + word + `"}`
			if _, d := decide(p, detectQuestion("corp.example.net"), said("application/json", body)); d.Action != want {
				t.Errorf("%q, suggested %q: %v, %s; want %v", word, suggested, d.Action, d.Reason, want)
			}
		}
	}
}

// TestJudge_namesOfFields: a field's name may be a host, too.
func TestJudge_namesOfFields(t *testing.T) {
	a := dialect.Answer{Status: http.StatusUnauthorized, Header: dialect.Header{"Www-Authenticate": {"Negotiate"}, "Imap.stranger.net": {"1"}}}
	_, d := decide(builtin(t), poxQuestion("lab.test"), a)
	if _, left := d.Answer.Header["Imap.stranger.net"]; left || d.Action != rules.ActionEdit || !slices.Equal(d.Answer.Header["Www-Authenticate"], []string{"Negotiate"}) {
		t.Errorf("%v, %s: %v", d.Action, d.Reason, d.Answer.Header)
	}
}

// TestJudge_wordsToMany: what one of many accounts is called may stand in words, and nothing else because of how many they are.
func TestJudge_wordsToMany(t *testing.T) {
	p := builtin(t)
	for _, accounts := range []int{1, 40} {
		r := detectQuestion("")
		r.Header["X-Email"] = slices.Repeat([]string{"wei.li@lab.test"}, accounts)
		for i := range r.Header["X-Email"][1:] {
			r.Header["X-Email"][i] = string(rune('a'+i)) + "@lab.test"
		}
		for word, want := range map[string]rules.Action{"wei.li": rules.ActionPass, "stranger.net": rules.ActionRefuse} {
			body := `{"protocols":[{"protocol":"imap","hostname":"mail.lab.test","port":993}],"note":"see ` + word + `"}`
			if plan, d := decide(p, r, said("application/json", body)); d.Action != want {
				t.Errorf("%q to %d accounts: %v, %v, %s; want %v", word, accounts, plan.Step, d.Action, d.Reason, want)
			}
		}
	}
}

// TestJudge_permission: what an own host says by its fields alone of what may be asked of it passes, and nothing beside that does.
func TestJudge_permission(t *testing.T) {
	for name, c := range map[string]struct {
		method, host, body string
		status             int
		want               rules.Action
	}{
		"own":            {"OPTIONS", "mail.lab.test", "", 204, rules.ActionPass},
		"a page":         {"OPTIONS", "mail.lab.test", `{"note":"see imap.stranger.net"}`, 200, rules.ActionRefuse},
		"not asked for":  {"GET", "mail.lab.test", "", 204, rules.ActionRefuse},
		"an error":       {"OPTIONS", "mail.lab.test", "", 500, rules.ActionRefuse},
		"a stranger's":   {"OPTIONS", "mail.stranger.net", "", 204, rules.ActionRefuse},
		"asked scrubbed": {"OPTIONS", "prod.autodetect.outlook.cloud.microsoft", "", 204, rules.ActionRefuse},
		"about another":  {"OPTIONS", "mail.shop.net", "", 204, rules.ActionRefuse},
	} {
		r := question("https://" + c.host + "/.well-known/jmap")
		if name == "asked scrubbed" {
			r = detectQuestion("lab.test")
		}
		r.Method, r.Header["Authorization"] = c.method, []string{basic("user@lab.test:secret")}
		a := dialect.Answer{Status: c.status, Header: dialect.Header{"Allow": {"GET"}}, Body: []byte(c.body)}
		if name == "about another" { // whom its token names, {"D":"lab.test"}
			r.Header["Authorization"] = []string{basic("user@shop.net:secret")}
			a.Header["X-Feedback-Token"] = []string{"e30.eyJEIjoibGFiLnRlc3QifQ.c2ln"}
		}
		if plan, d := decide(builtin(t), r, a); d.Action != c.want {
			t.Errorf("%s: %v, %v, %s; want %v", name, plan.Step, d.Action, d.Reason, c.want)
		}
	}
}

// TestJudge_noSettings: where there is nothing to edit, a stranger in a field leaves nothing to keep.
func TestJudge_noSettings(t *testing.T) {
	a := said("text/xml", "<Autodiscover><Response/></Autodiscover>")
	a.Header["Refresh"] = []string{"0; url=https://mail.stranger.net/x"}
	if _, d := decide(builtin(t), poxQuestion("lab.test"), a); d.Action != rules.ActionRefuse || !strings.Contains(d.Reason, "header names 1 stranger") {
		t.Errorf("%v, %s", d.Action, d.Reason)
	}
}

// TestJudge_notAsked: an answer that nobody was to be asked for reaches nobody.
func TestJudge_notAsked(t *testing.T) {
	p := builtin(t)
	plan := p.Plan(poxQuestion("example.com"), rules.From{})
	if made := p.Plan(poxQuestion("com"), rules.From{}); !made.Guarded || made.Step != rules.Refuse { // autodiscover.com
		t.Errorf("a host that clients make up: guarded %v, %v", made.Guarded, made.Step)
	}
	if d := p.Judge(&plan, said("text/html", "It works!")); plan.Step != rules.Refuse || d.Action != rules.ActionRefuse || !strings.Contains(d.Reason, "not asked") {
		t.Errorf("%v, %v, %s", plan.Step, d.Action, d.Reason)
	}
}

// TestJudge_challengeToOthers: a host that one account knows may not ask for the password of one that only the answer names, nor of one that no rule knew of before.
func TestJudge_challengeToOthers(t *testing.T) {
	challenge := func(domain string) dialect.Answer {
		a := said("text/xml", "<Autodiscover><Response><User><AutoDiscoverSMTPAddress>user@"+domain+"</AutoDiscoverSMTPAddress></User></Response></Autodiscover>")
		a.Status, a.Header["Www-Authenticate"] = 401, []string{`Basic realm="Mail"`}
		return a
	}
	for name, c := range map[string]struct {
		asked, host, answered string
		want                  rules.Action
	}{
		"own":                       {"lab.test", "autodiscover.lab.test", "lab.test", rules.ActionPass},
		"another's":                 {"lab.test", "autodiscover.lab.test", "other.test", rules.ActionRefuse},
		"nobody knew that it's own": {"shop.com", "10.0.0.1", "lab.test", rules.ActionRefuse},
	} {
		r := poxQuestion(c.asked)
		r.URL.Host = c.host
		if plan, d := decide(builtin(t), r, challenge(c.answered)); d.Action != c.want {
			t.Errorf("%s: %v, %v, %s; want %v", name, plan.Step, d.Action, d.Reason, c.want)
		}
	}
}

// TestJudge_whatOthersKeep: a host that one user of several keeps may stand anywhere in the answer; what another lost, or nobody has, may not.
func TestJudge_whatOthersKeep(t *testing.T) {
	all := loadCorpus(t)
	x := all[slices.IndexFunc(all, func(x exchange) bool { return x.name == "soap/several-users" })]
	for host, want := range map[string]rules.Action{"mail.other.net": rules.ActionEdit, "ews.stranger.net": rules.ActionRefuse, "imap.stranger.net": rules.ActionRefuse} {
		a := x.answer
		a.Body = []byte(strings.ReplaceAll(string(a.Body), "<Value>C</Value>", "<Value>C of "+host+"</Value>"))
		if _, d := decide(policyFor(t, x), x.request, a); d.Action != want {
			t.Errorf("%s: %v, %s; want %v", host, d.Action, d.Reason, want)
		}
	}
}

// TestJudge_noHostOfTheirOwn: what ends in a name of the domain's own and is no host name may mean a stranger to somebody's parser.
func TestJudge_noHostOfTheirOwn(t *testing.T) {
	for authority, want := range map[string]rules.Action{
		"mail.lab.test": rules.ActionPass, "mail.lab.test:443": rules.ActionPass, "stranger:443.lab.test": rules.ActionRefuse, "stranger\u00a0.lab.test": rules.ActionRefuse,
	} {
		body := `{"protocols":[{"protocol":"imap","hostname":"mail.lab.test","port":993}],"note":"see //` + authority + `/"}`
		if _, d := decide(builtin(t), detectQuestion("lab.test"), said("application/json", body)); d.Action != want {
			t.Errorf("%q: %v, %s; want %v", authority, d.Action, d.Reason, want)
		}
	}
}

// TestSniff_knowsWhoAsks: an answer that nobody knew for discovery before it came is judged by the rules for whoever asked.
func TestSniff_knowsWhoAsks(t *testing.T) {
	p := withRules(t, rules.Rule{
		Name: "pin", Domains: []string{"corp-mail.net"}, Allow: []string{"*.corp-mail.net"}, Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	})
	request := question("https://www.hoster.net/odd/place")
	request.Header["Authorization"] = []string{basic("user@corp-mail.net:secret")}
	answer := poxAnswer("corp-mail.net", 600)
	for client, guarded := range map[string]bool{"10.1.2.3": true, "192.0.2.7": false} {
		plan := p.Plan(request, rules.From{Client: mustAddr(client)})
		if (plan.Step == rules.Watch) != guarded {
			t.Fatalf("%s: %v", client, plan.Step)
		}
		d, ok := p.Sniff(&plan, answer)
		if ok != guarded || guarded && (d.Action != rules.ActionRefuse || d.Rule != "pin") {
			t.Errorf("%s: %v, %v by %q: %s", client, ok, d.Action, d.Rule, d.Reason)
		}
	}
}

// TestPlan_ownServersForOneAlone: the servers that a rule answers with are named to nobody who has another rule.
func TestPlan_ownServersForOneAlone(t *testing.T) {
	p := withRules(t, rules.Rule{
		Name: "own", Domains: []string{"corp-mail.net"}, Allow: []string{"*.corp-mail.net"}, Answer: rules.AnswerLocal,
		Servers: []dialect.Server{{Protocol: "imap", Host: "imap.corp-mail.net"}},
	})
	for accounts, want := range map[string]rules.Step{
		"user@corp-mail.net": rules.Reply, "user@corp-mail.net,user@example.com": rules.Refuse, "user@example.com,user@corp-mail.net": rules.Refuse,
	} {
		r := detectQuestion("")
		r.Header["X-Email"] = strings.Split(accounts, ",")
		plan := p.Plan(r, rules.From{})
		if named := strings.Contains(string(message(plan.Decision.Answer)), "imap.corp-mail.net"); plan.Step != want || named != (want == rules.Reply) {
			t.Errorf("%s: %v, the own server named %v: %s", accounts, plan.Step, named, plan.Decision.Reason)
		}
	}
}

// TestPlan_noPlaceForOwnServers: who asks where a rule's servers cannot be named, or only whether there is anybody to log in to, is refused.
func TestPlan_noPlaceForOwnServers(t *testing.T) {
	p := withRules(t, rules.Rule{
		Name: "own", Domains: []string{"corp-mail.net"}, Allow: []string{"*.corp-mail.net"}, Answer: rules.AnswerLocal,
		Servers: []dialect.Server{{Protocol: "imap", Host: "imap.corp-mail.net"}},
	})
	for asked, reason := range map[string]string{
		"GET https://dns.google/resolve?name=_imaps._tcp.corp-mail.net&type=SRV":            "no place",
		"GET https://login.microsoftonline.com/getuserrealm.srf?login=user%40corp-mail.net": "no place",
		"GET https://autodiscover.corp-mail.net/autodiscover/autodiscover.svc":              "probe",
		"HEAD https://autodiscover.corp-mail.net/autodiscover/autodiscover.svc":             "probe",
		"GET https://autodiscover.corp-mail.net/autodiscover/autodiscover.xml":              "probe",
		"HEAD https://autodiscover.corp-mail.net/autodiscover/autodiscover.xml":             "probe",
	} {
		method, place, _ := strings.Cut(asked, " ")
		r := question(place)
		r.Method = method
		if plan := p.Plan(r, rules.From{}); plan.Step != rules.Refuse || !strings.Contains(plan.Decision.Reason, reason) || strings.Contains(string(message(plan.Decision.Answer)), "imap.") {
			t.Errorf("%s: %v, %s", asked, plan.Step, plan.Decision.Reason)
		}
	}
}

// TestSniff_kinds: an answer at a place that nobody has published is taken for what it is, whatever it calls itself.
func TestSniff_kinds(t *testing.T) {
	const account = `<Account><Protocol><Type>IMAP</Type><Server>imap.stranger.net</Server></Protocol></Account>`
	for name, c := range map[string]struct {
		body string
		want dialect.ID
	}{
		"POX":         {`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"><Response>` + account + `</Response></Autodiscover>`, dialect.POX},
		"mobilesync":  {`<Autodiscover><Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"><Action><Settings><Server><Type>MobileSync</Type><Url>https://eas.stranger.net/</Url></Server></Settings></Action></Response></Autodiscover>`, dialect.MobileSync},
		"SOAP":        {`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetUserSettingsResponseMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"/></s:Body></s:Envelope>`, dialect.SOAP},
		"autoconfig":  {`<clientConfig version="1.1"><emailProvider id="lab.test"><incomingServer type="imap"><hostname>imap.stranger.net</hostname></incomingServer></emailProvider></clientConfig>`, dialect.Autoconfig},
		"autodetect":  {`{"services":[],"protocols":[{"protocol":"imap","hostname":"imap.stranger.net"}]}`, dialect.Autodetect},
		"PACC":        {`{"protocols":{"imap":{"host":"imap.stranger.net"}},"info":{}}`, dialect.PACC},
		"nothing":     {`{"imap":"see the handbook"}`, dialect.None},
		"a SOAP call": {`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Sum xmlns="https://lab.test/">2</Sum></s:Body></s:Envelope>`, dialect.None},
	} {
		p := builtin(t)
		plan := p.Plan(question("https://www.lab.test/odd/place"), rules.From{})
		d, ok := p.Sniff(&plan, said("application/octet-stream", c.body))
		if ok != (c.want != dialect.None) || ok && (d.Dialect != c.want || d.Action != rules.ActionRefuse) {
			t.Errorf("%s: %v, %v, %v: %s", name, ok, d.Dialect, d.Action, d.Reason)
		}
	}
}

// TestJudge_refreshIsRedirect: browsers and some clients follow the field that Netscape had for it; it is a suggestion like any other, and recorded as one.
func TestJudge_refreshIsRedirect(t *testing.T) {
	a := said("text/xml", `<Autodiscover><Response><Account><Action>settings</Action><Protocol><Type>IMAP</Type><Server>imap.lab.test</Server></Protocol></Account></Response></Autodiscover>`)
	a.Header["Refresh"] = []string{"5", "0; url=https://mail.stranger.net/x"}
	_, d := decide(builtin(t), poxQuestion("lab.test"), a)
	if !slices.Equal(d.Strangers, []string{"mail.stranger.net"}) || d.Action != rules.ActionEdit && d.Action != rules.ActionRefuse || strings.Contains(string(message(d.Answer)), "stranger") {
		t.Errorf("%v, strangers %q: %s", d.Action, d.Strangers, d.Reason)
	}
}
