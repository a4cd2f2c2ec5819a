package rules_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// The second redirect is judged like the first, on behalf of whom the first one was for.
func TestPolicy_Follow(t *testing.T) {
	p := builtin(t)
	first := question("https://autoconfig.lab.test/mail/config-v1.1.xml?emailaddress=user%40lab.test")
	moved := func(to string) dialect.Answer {
		return dialect.Answer{Status: http.StatusFound, Header: dialect.Header{"Location": {to}}}
	}
	plan := p.Plan(first, rules.From{})
	d := p.Judge(&plan, moved("//10.0.0.7:8080/x"))
	onward := d.Redirects(first.URL)
	if len(onward) != 1 || onward[0].String() != "https://10.0.0.7:8080/x" {
		t.Fatalf("%v: %s: leads to %v", d.Action, d.Reason, onward)
	}
	referrer := plan.Inquiry
	next := question(onward[0].String())
	if plan := p.Plan(next, rules.From{}); plan.Step != rules.Ignore {
		t.Errorf("without the referrer: %v", plan.Step)
	}
	for to, want := range map[string]rules.Action{"https://stranger.net/": rules.ActionRefuse, "/y": rules.ActionPass, "https://www.lab.test/": rules.ActionPass} {
		plan := p.Follow(next, rules.From{}, referrer)
		if plan.Step != rules.Watch || p.SniffRedirect(&plan, dialect.Answer{Status: http.StatusOK}) {
			t.Errorf("followed: %v", plan.Step)
		}
		if !p.SniffRedirect(&plan, dialect.Answer{Status: http.StatusFound}) || !plan.Guarded {
			t.Errorf("not pursued: %+v", plan)
		}
		if d := p.Judge(&plan, moved(to)); d.Action != want || d.Dialect != dialect.Autoconfig || d.Rule != "private-use" {
			t.Errorf("%s: %v by %q: %s", to, d.Action, d.Rule, d.Reason)
		}
	}
	for name, c := range map[string]struct {
		field, value string
		about        dialect.ID
		want         rules.Step
	}{
		"a browser opens a page":              {"Sec-Fetch-Mode", "navigate", dialect.JMAP, rules.Ignore},
		"in the clear":                        {"Upgrade-Insecure-Requests", "1", dialect.DAV, rules.Ignore},
		"a browser opens a profile":           {"Sec-Fetch-Mode", "navigate", dialect.MobileConfig, rules.Watch},
		"a script asks":                       {"Sec-Fetch-Mode", "cors", dialect.Autoconfig, rules.Watch},
		"somebody else logs in":               {"Authorization", basic("user@shop.com:secret"), dialect.JMAP, rules.Ignore},
		"somebody else's client logs in":      {"Authorization", "Digest username=\"user@shop.com\"", dialect.JMAP, rules.Ignore},
		"the same logs in":                    {"Authorization", basic("user@lab.test:secret"), dialect.JMAP, rules.Watch},
		"somebody guarded logs in":            {"Authorization", basic("user@office.test:secret"), dialect.JMAP, rules.Watch},
		"somebody without an address logs in": {"Authorization", basic("user:secret"), dialect.JMAP, rules.Watch},
		"whom the redirect named logs in":     {"Authorization", basic("user@named.net:secret"), dialect.JMAP, rules.Watch},
	} {
		next := question(onward[0].String())
		next.Header[c.field] = []string{c.value}
		referrer := dialect.Inquiry{Dialect: c.about, Subjects: append(slices.Clone(referrer.Subjects), dialect.Subject{Domain: "named.net"})}
		plan := p.Follow(next, rules.From{}, referrer)
		if step := plan.Step; step != c.want || p.SniffRedirect(&plan, dialect.Answer{Status: http.StatusFound}) != (c.want == rules.Watch) {
			t.Errorf("%s: %v, want %v; pursued: %t", name, step, c.want, plan.Guarded)
		}
	}
	// Settings that are found there are for the same subject, although nothing there says so.
	plan = p.Follow(next, rules.From{}, referrer)
	settings := dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(`<clientConfig><emailProvider><incomingServer type="imap"><hostname>imap.stranger.net</hostname></incomingServer></emailProvider></clientConfig>`)}
	if d, ok := p.Sniff(&plan, settings); !ok || d.Action != rules.ActionRefuse {
		t.Errorf("settings: %v, %t: %s", d.Action, ok, d.Reason)
	}
	// An unguarded referrer is none.
	if plan := p.Follow(next, rules.From{}, dialect.Inquiry{Dialect: dialect.POX, Subjects: []dialect.Subject{{Domain: "shop.com"}}}); plan.Step != rules.Ignore {
		t.Errorf("nobody's: %v", plan.Step)
	}
	if plan := p.Follow(question("https://autodiscover.com/"), rules.From{}, referrer); plan.Step != rules.Refuse {
		t.Errorf("a back-off host: %v", plan.Step)
	}
	if d := judged(p, question("https://autoconfig.shop.com/mail/config-v1.1.xml"), moved("https://stranger.net/")); d.Action != rules.ActionPass || d.Redirects(first.URL) != nil {
		t.Errorf("nobody guarded: %v, leads to %v", d.Action, d.Redirects(first.URL))
	}
	if d := judged(p, first, moved("https://stranger.net/")); d.Redirects(first.URL) != nil {
		t.Errorf("refused, and leads to %v", d.Redirects(first.URL))
	}
	// What is found there is for whoever logs in there, too.
	next.Header["Authorization"] = []string{basic("user@office.test:secret")}
	plan = p.Follow(next, rules.From{}, dialect.Inquiry{Dialect: dialect.JMAP, Subjects: referrer.Subjects})
	if d, ok := p.Sniff(&plan, said("application/json", `{"primaryAccounts":{},"apiUrl":"https://api.lab.test/"}`)); !ok || d.Action != rules.ActionRefuse {
		t.Errorf("another's session: %v, %t: %s", d.Action, ok, d.Reason)
	}
}

// Clients follow a Location at more statuses than the five that say so, but at none without one.
func TestPolicy_SniffRedirect_statuses(t *testing.T) {
	p := builtin(t)
	next := question("https://lab.test/settings")
	referrer := dialect.Inquiry{Dialect: dialect.Autoconfig, Subjects: []dialect.Subject{{Domain: "lab.test"}}}
	propfind := next
	propfind.Method = "PROPFIND"
	for status, sent := range map[int]bool{200: false, 201: false, 300: true, 301: true, 304: true, 305: true, 308: true, 399: true, 401: false, 404: false} {
		plan := p.Follow(next, rules.From{}, referrer)
		a := dialect.Answer{Status: status, Header: dialect.Header{"Location": {"https://stranger.net/config.xml"}}}
		if got := p.SniffRedirect(&plan, a); got != sent {
			t.Errorf("%d: pursued: %t", status, got)
		} else if sent && p.Judge(&plan, a).Action != rules.ActionRefuse {
			t.Errorf("%d: not refused", status)
		}
		plan = p.Plan(propfind, rules.From{})
		if d, ok := p.Sniff(&plan, a); ok != sent || sent && d.Action != rules.ActionRefuse {
			t.Errorf("%d to a PROPFIND: seen: %t: %v", status, ok, d.Action)
		}
	}
	plan := p.Follow(next, rules.From{}, referrer)
	if p.SniffRedirect(&plan, dialect.Answer{Status: 304, Header: dialect.Header{}}) {
		t.Error("nothing new is taken for a redirect")
	}
}

// Whom nobody sent is judged by what the answer is alone, and what was pursued once is an exchange like any other.
func TestPolicy_SniffRedirect_once(t *testing.T) {
	p := builtin(t)
	next, to := question("https://lab.test/settings"), dialect.Answer{Status: http.StatusFound, Header: dialect.Header{"Location": {"https://stranger.net/"}}}
	plan := p.Plan(next, rules.From{})
	if plan.Step != rules.Watch || plan.NeedsWholeBody() || p.SniffRedirect(&plan, to) {
		t.Errorf("sent by nobody: %v, seen whole: %t", plan.Step, plan.NeedsWholeBody())
	}
	plan = p.Follow(next, rules.From{}, dialect.Inquiry{Dialect: dialect.Autoconfig, Subjects: []dialect.Subject{{Domain: "lab.test"}}})
	if !p.SniffRedirect(&plan, to) || plan.NeedsWholeBody() || p.SniffRedirect(&plan, to) {
		t.Errorf("pursued: %v, seen whole: %t", plan.Step, plan.NeedsWholeBody())
	}
	if d := p.Unanswered(&plan, "x"); d.Action != rules.ActionRefuse || d.Rule != rules.RulePrivateUse {
		t.Errorf("unanswered: %v by %q", d.Action, d.Rule)
	}
}

// A rule for other dialects than that of what is found by chance says nothing about it.
func TestPolicy_Sniff_ofAnotherDialect(t *testing.T) {
	settings := said("text/xml", `<clientConfig><emailProvider id="corp.net"><incomingServer type="imap"><hostname>imap.stranger.net</hostname></incomingServer></emailProvider></clientConfig>`)
	for name, want := range map[string]rules.Action{"autoconfig": rules.ActionRefuse, "pox": rules.ActionPass} {
		p := withRules(t, rules.Rule{Name: "pin", Domains: []string{"corp.net"}, Dialects: []string{name}})
		plan := p.Plan(question("https://corp.net/settings"), rules.From{})
		if d, ok := p.Sniff(&plan, settings); !ok || d.Action != want || plan.Guarded != (want == rules.ActionRefuse) {
			t.Errorf("%s: seen: %t: %v, guarded: %t: %s", name, ok, d.Action, plan.Guarded, d.Reason)
		}
	}
}

// Autodiscover v2 tells Outlook where to ask the older one, which may be anywhere.
func TestPolicy_Follow_fromV2(t *testing.T) {
	p := builtin(t)
	r := question("https://autodiscover.lab.test/autodiscover/autodiscover.json?Email=user%40lab.test&Protocol=AutodiscoverV1")
	d := judged(p, r, dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"Protocol":"AutodiscoverV1","Url":"https://mail.lab.test/v1"}`)})
	if onward := d.Redirects(r.URL); d.Action != rules.ActionPass || len(onward) != 1 || onward[0].String() != "https://mail.lab.test/v1" {
		t.Errorf("%v: %s: leads to %v", d.Action, d.Reason, onward)
	}
}

// What a client was sent for may say less of itself than what is met by chance.
func TestPolicy_Follow_answers(t *testing.T) {
	p := builtin(t)
	next := question("https://lab.test/settings")
	const servers = `<emailProvider><incomingServer type="imap"><hostname>imap.stranger.net</hostname></incomingServer></emailProvider>`
	for name, c := range map[string]struct {
		about dialect.ID
		body  string
		want  rules.Action
	}{
		"a session without capabilities":      {dialect.JMAP, `{"primaryAccounts":{},"apiUrl":"https://api.stranger.net/"}`, rules.ActionRefuse},
		"an own session without capabilities": {dialect.JMAP, `{"primaryAccounts":{},"apiUrl":"https://api.lab.test/"}`, rules.ActionPass},
		"a URL without its protocol":          {dialect.V2, `{"Url":"https://eas.stranger.net/"}`, rules.ActionRefuse},
		"servers without a provider":          {dialect.PACC, `{"protocols":{"imap":{"host":"imap.stranger.net"}}}`, rules.ActionRefuse},
		"JSON of something else":              {dialect.Autoconfig, `{"apiUrl":"https://api.stranger.net/"}`, 0},
		"a URL that stands twice":             {dialect.V2, `{"Url":"https://eas.stranger.net/","url":"https://eas.stranger.net/"}`, rules.ActionRefuse},
		"a clientConfig of another name":      {dialect.Autoconfig, `<c>` + servers + `</c>`, rules.ActionRefuse},
		"one with a DOCTYPE":                  {dialect.Autoconfig, `<!DOCTYPE c [<!ENTITY a "b">]><c>` + servers + `</c>`, rules.ActionRefuse},
		"one that looks like a page":          {dialect.Autoconfig, `<html>` + servers + `</html>`, rules.ActionRefuse},
		"a page where settings were":          {dialect.Autoconfig, `<html><a href="https://stranger.net/">x</a></html>`, 0},
		"what was never well-formed":          {dialect.Autoconfig, `<html><br><a href=https://stranger.net/>x</a>`, 0},
		"Autodiscover of another name":        {dialect.POX, `<a><Server>imap.stranger.net</Server></a>`, rules.ActionRefuse},
		"an announced page":                   {dialect.POX, `<?xml version="1.0"?><HTML><a href="https://stranger.net/"/></HTML>`, 0},
		"Autodiscover in UTF-7":               {dialect.POX, `<?xml version="1.0" encoding="UTF-7"?>+ADw-Autodiscover+AD4-`, rules.ActionRefuse},
		"clientConfig in EBCDIC":              {dialect.Autoconfig, "\x4c\x6f\xa7\x94\x93\x40\xa5\x85\x99\xa2\x89\x96\x95", rules.ActionRefuse},
		"a page in a charset of its own":      {dialect.POX, `<?xml version="1.0" encoding="x-klingon"?><html><a href="https://stranger.net/"/></html>`, 0},
		"an error":                            {dialect.POX, `<h1>Not Found<br></h1>`, 0},
		"a URL, and something behind it":      {dialect.V2, `{"Url":"https://eas.stranger.net/"} {}`, rules.ActionRefuse},
		"a state of AutoDetect":               {dialect.Autodetect, `{"state":1}`, 0},
		"a state of an identity":              {dialect.Identity, `{"state":1}`, 0},
		"a state":                             {dialect.JMAP, `{"state":1}`, 0},
		"a page":                              {dialect.POX, `<html><a href="https://stranger.net/"></a></html>`, 0},
		"events":                              {dialect.DAV, `<multistatus xmlns="DAV:"><response><href>https://stranger.net/e.ics</href></response></multistatus>`, 0},
	} {
		plan := p.Follow(next, rules.From{}, dialect.Inquiry{Dialect: c.about, Subjects: []dialect.Subject{{Domain: "lab.test"}}})
		mediaType := "application/json"
		if c.body[0] == '<' {
			mediaType = "text/xml"
		}
		if plan.NeedsWholeBody() != (c.about != dialect.POX && c.about != dialect.DAV) {
			t.Errorf("%v is seen whole: %t", c.about, plan.NeedsWholeBody())
		}
		d, ok := p.Sniff(&plan, dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Type": {mediaType}}, Body: []byte(c.body)})
		if d.Action != c.want || ok != (c.want != 0) || ok && d.Dialect != c.about {
			t.Errorf("%s: %v as %v, seen: %t: %s", name, d.Action, d.Dialect, ok, d.Reason)
		}
	}
}

// What a client undoes and the guard does not, here a window of 128 MiB (zstd --long=27; curl 7.88 takes it), may be anything to who was sent for settings.
func TestPolicy_Follow_coded(t *testing.T) {
	p := builtin(t)
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed, zstd.WithWindowSize(128<<20), zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = z.Write([]byte("<clientConfig><hostname>"))
	_ = z.Flush()
	_, _ = z.Write([]byte("imap.stranger.net</hostname></clientConfig>"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for coding, body := range map[string][]byte{"zstd": packed.Bytes(), "dcz": {1, 2, 3}} {
		want := rules.ActionRefuse
		if coding == "dcz" { // which needs a dictionary, and only browsers know
			want = 0
		}
		plan := p.Follow(question("https://lab.test/settings"), rules.From{}, dialect.Inquiry{Dialect: dialect.Autoconfig, Subjects: []dialect.Subject{{Domain: "lab.test"}}})
		if d, _ := p.Sniff(&plan, dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Encoding": {coding}}, Body: body}); d.Action != want {
			t.Errorf("%s: %v: %s", coding, d.Action, d.Reason)
		}
	}
}

// A question at the place is about the referrer's subjects, unless it says whose else it is; then it is planned in full.
func TestPolicy_Follow_question(t *testing.T) {
	pin := rules.Rule{Name: "pin", Domains: []string{"corp.net"}, Allow: []string{"*.corp.net", "hoster.net"}}
	for name, c := range map[string]struct {
		url, login string
		referrer   string
		mode       rules.Mode
		want       rules.Step
		guarded    bool
	}{
		"says nothing":              {"https://hoster.net/autodiscover/autodiscover.xml", "", "corp.net", 0, rules.Forward, true},
		"says its own":              {"https://hoster.net/mail/config-v1.1.xml?emailaddress=user%40corp.net", "", "corp.net", 0, rules.Forward, true},
		"says somebody else's":      {"https://hoster.net/mail/config-v1.1.xml?emailaddress=user%40shop.com", "", "corp.net", 0, rules.Forward, false},
		"logs in as somebody else":  {"https://hoster.net/autodiscover/autodiscover.xml", "user@shop.com:secret", "corp.net", 0, rules.Forward, false},
		"outside the set meanwhile": {"https://stranger.net/autodiscover/autodiscover.xml", "", "corp.net", 0, rules.Refuse, true},
		"unguarded referrer":        {"https://hoster.net/autodiscover/autodiscover.xml", "", "shop.com", 0, rules.Forward, false},
		"the rule only monitors":    {"https://hoster.net/autodiscover/autodiscover.xml", "", "corp.net", rules.Monitor, rules.Forward, false},
	} {
		pin := pin
		pin.Mode = c.mode
		p := withRules(t, pin)
		r := question(c.url)
		if c.login != "" {
			r.Header["Authorization"] = []string{basic(c.login)}
		}
		referrer := dialect.Inquiry{Dialect: dialect.POX, Subjects: []dialect.Subject{{Domain: c.referrer}}}
		if plan := p.Follow(r, rules.From{}, referrer); plan.Step != c.want || plan.Guarded != c.guarded {
			t.Errorf("%s: %v, guarded: %t; want %v, %t: %s", name, plan.Step, plan.Guarded, c.want, c.guarded, plan.Decision.Reason)
		}
	}
}

// A rule for one service and some clients holds for them at the service's host, however a redirect has spelt it.
func TestPolicy_Follow_atAService(t *testing.T) {
	p, err := rules.New(rules.Config{Rules: []rules.Rule{{Name: "service", Domains: []string{"corp.net"}, Services: []string{"autodetect"}, Clients: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Allow: []string{"*.corp.net"}}}})
	if err != nil {
		t.Fatal(err)
	}
	referrer := dialect.Inquiry{Dialect: dialect.Autodetect, Subjects: []dialect.Subject{{Domain: "corp.net"}}}
	for host, want := range map[string]rules.Step{
		"prod.autodetect.outlook.cloud.microsoft":  rules.Watch,
		"Prod.AutoDetect.outlook.cloud.microsoft.": rules.Watch,
		"ｐｒｏｄ.autodetect.outlook.cloud。microsoft":  rules.Watch,
		"www.corp.net": rules.Ignore,
	} {
		next := question("https://" + host + "/next")
		next.Header["Authorization"] = []string{"Basic dXNlcjpzZWNyZXQ="}
		plan := p.Follow(next, rules.From{Client: netip.MustParseAddr("192.0.2.7")}, referrer)
		if plan.Step != want || p.SniffRedirect(&plan, dialect.Answer{Status: http.StatusFound}) != (want == rules.Watch) || plan.Guarded != (want == rules.Watch) {
			t.Errorf("%s: %v, guarded: %t", host, plan.Step, plan.Guarded)
		}
		if c := plan.Decision.Credentials; plan.Guarded && (!c.Present || !c.Forwarded) {
			t.Errorf("%s: upstream got the password, and the record says %+v", host, c)
		}
	}
}

// Where clients resolve a reference in different ways they are told where it leads, and of several targets the first: the place that is remembered.
func TestPolicy_Judge_whereRedirectsLead(t *testing.T) {
	p := builtin(t)
	asked := question("http://autoconfig.lab.test:8080/mail/config-v1.1.xml")
	for location, want := range map[string]string{
		"/x": "", "http://lab.test/x": "", "": "", "?x": "http://autoconfig.lab.test:8080/mail/config-v1.1.xml?x", "y": "http://autoconfig.lab.test:8080/mail/y",
		"../z?%zz": "http://autoconfig.lab.test:8080/z?%25zz", "#f": "http://autoconfig.lab.test:8080/mail/config-v1.1.xml#f",
	} {
		d := judged(p, asked, dialect.Answer{Status: http.StatusFound, Header: dialect.Header{"Location": {location}}})
		action := rules.ActionEdit
		switch {
		case location == "":
			action = rules.ActionRefuse
		case want == "":
			action = rules.ActionPass
		}
		if got := d.Answer.Header.Get("Location"); d.Action != action || got != want {
			t.Errorf("%q: %v to %q, want %v to %q: %s", location, d.Action, got, action, want, d.Reason)
		}
		if onward := d.Redirects(asked.URL); want != "" && (len(onward) != 1 || onward[0].String() != want) {
			t.Errorf("%q leads to %v", location, onward)
		}
	}
	d := judged(p, asked, dialect.Answer{Status: http.StatusFound, Header: dialect.Header{"Location": {"/first", "/second", "/third"}}})
	if onward := d.Redirects(asked.URL); d.Action != rules.ActionEdit || d.Answer.Header.Get("Location") != "/first" || len(onward) != 1 || onward[0].Path != "/first" {
		t.Errorf("several: %v to %q, leads to %v", d.Action, d.Answer.Header, onward)
	}
}

// Of more places than a client can be sent to at once not all would be remembered.
func TestPolicy_Judge_manyRedirects(t *testing.T) {
	p := builtin(t)
	for n, want := range map[int]rules.Action{8: rules.ActionPass, 9: rules.ActionRefuse} {
		var body strings.Builder
		body.WriteString("<Autodiscover><Response>")
		for i := range n {
			fmt.Fprintf(&body, "<Account><Action>redirectUrl</Action><RedirectUrl>https://lab.test/%d</RedirectUrl></Account>", i)
		}
		body.WriteString("</Response></Autodiscover>")
		r := question("https://autodiscover.lab.test/autodiscover/autodiscover.xml")
		h := dialect.Header{"Content-Type": {"text/xml"}}
		for i := range n {
			h["Content-Location"] = append(h["Content-Location"], fmt.Sprint("https://www.lab.test/", i))
		}
		d := judged(p, r, dialect.Answer{Status: 200, Header: h, Body: []byte(body.String())})
		if d.Action != want || want == rules.ActionPass && len(d.Redirects(r.URL)) != n {
			t.Errorf("%d: %v: %s: leads to %v", n, d.Action, d.Reason, d.Redirects(r.URL))
		}
	}
}

// A client is sent on by redirects that it gets, and by nothing else that an answer names.
func TestDecision_Redirects(t *testing.T) {
	asked := question("https://lab.test/a/b").URL
	sends := func(kind dialect.Kind, verdict dialect.Verdict, now string) dialect.Suggestion {
		return dialect.Suggestion{Kind: kind, Verdict: verdict, Now: now}
	}
	kept := sends(dialect.KindRedirect, dialect.Keep, "c?x=1")
	for name, c := range map[string]struct {
		decision rules.Decision
		want     []string
	}{
		"kept":                {rules.Decision{Rule: "r", Action: rules.ActionPass, Suggestions: []dialect.Suggestion{kept}}, []string{"https://lab.test/a/c?x=1"}},
		"rewritten":           {rules.Decision{Rule: "r", Action: rules.ActionEdit, Suggestions: []dialect.Suggestion{sends(dialect.KindRedirect, dialect.Rewrite, "//mail.lab.test")}}, []string{"https://mail.lab.test"}},
		"removed":             {rules.Decision{Rule: "r", Action: rules.ActionEdit, Suggestions: []dialect.Suggestion{sends(dialect.KindRedirect, dialect.Remove, "c"), kept}}, []string{"https://lab.test/a/c?x=1"}},
		"a server":            {rules.Decision{Rule: "r", Action: rules.ActionPass, Suggestions: []dialect.Suggestion{sends(dialect.KindHostname, dialect.Keep, "imap.lab.test")}}, nil},
		"no URL, and no host": {rules.Decision{Rule: "r", Action: rules.ActionPass, Suggestions: []dialect.Suggestion{sends(dialect.KindRedirect, dialect.Keep, ":"), sends(dialect.KindRedirect, dialect.Keep, "mailto:a@b")}}, nil},
		"no escape":           {rules.Decision{Rule: "r", Action: rules.ActionPass, Suggestions: []dialect.Suggestion{sends(dialect.KindRedirect, dialect.Keep, "/%zz%41%4?%")}}, []string{"https://lab.test/%25zz%41%254?%25"}},
		"nobody follows it":   {rules.Decision{Rule: "r", Action: rules.ActionPass, Suggestions: []dialect.Suggestion{{Path: "header:content-location", Kind: dialect.KindRedirect, Verdict: dialect.Keep, Now: "/x"}, kept}}, []string{"https://lab.test/a/c?x=1"}},
		"Autodiscover v1":     {rules.Decision{Rule: "r", Action: rules.ActionPass, Suggestions: []dialect.Suggestion{{Kind: dialect.KindURL, Protocol: "autodiscoverv1", Verdict: dialect.Keep, Now: "/v1"}}}, []string{"https://lab.test/v1"}},
		"another URL":         {rules.Decision{Rule: "r", Action: rules.ActionPass, Suggestions: []dialect.Suggestion{{Kind: dialect.KindURL, Protocol: "ews", Verdict: dialect.Keep, Now: "/ews"}}}, nil},
		"refused":             {rules.Decision{Rule: "r", Action: rules.ActionRefuse, Suggestions: []dialect.Suggestion{kept}}, nil},
		"nobody's":            {rules.Decision{Action: rules.ActionPass, Suggestions: []dialect.Suggestion{kept}}, nil},
		"often the same":      {rules.Decision{Rule: "r", Action: rules.ActionPass, Suggestions: slices.Repeat([]dialect.Suggestion{kept}, 9)}, []string{"https://lab.test/a/c?x=1"}},
	} {
		var got []string
		for _, u := range c.decision.Redirects(asked) {
			got = append(got, u.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
