package rules_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// pin is a rule for an own domain whose mail is at one hoster.
var pin = rules.Rule{
	Name: "pin", Domains: []string{"corp.example.net", "*.corp.example.net"}, Allow: []string{"*.corp.example.net", "outlook.office365.com"},
}

func withRules(t testing.TB, all ...rules.Rule) *rules.Policy {
	t.Helper()
	p, err := rules.New(rules.Config{Rules: all})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

// TestPlan_firstRule: of rules for the same domain the first one applies, whether it is for the domain itself or for what is below another, and however near that is.
func TestPlan_firstRule(t *testing.T) {
	exact, near, far := "mail.corp.example.net", "*.corp.example.net", "*.example.net"
	for _, order := range [][]string{{exact, near, far}, {exact, far, near}, {near, exact, far}, {far, exact, near}, {near, far}, {far, near}} {
		all := make([]rules.Rule, len(order))
		for i, domain := range order { // each for other clients than those before it, so that the next one is reached
			all[i] = rules.Rule{Name: "rule" + domain, Domains: []string{domain}, Clients: []netip.Prefix{netip.PrefixFrom(mustAddr("10.0.0.0"), 8-i)}}
		}
		if got := withRules(t, all...).Plan(poxQuestion("mail.corp.example.net"), rules.From{Client: mustAddr("10.0.0.1")}).Decision.Rule; got != all[0].Name {
			t.Errorf("%v: rule %s", order, got)
		}
	}
}

// TestPlan_selectors: clients, dialects, services and the end of a rule decide whether it applies; else the next one does.
func TestPlan_selectors(t *testing.T) {
	end := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	p := withRules(t,
		rules.Rule{Name: "office", Domains: []string{"lab.test"}, Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		rules.Rule{Name: "phones", Domains: []string{"lab.test"}, Dialects: []string{"mobilesync"}},
		rules.Rule{Name: "two", Domains: []string{"two.test"}, Dialects: []string{"pox", "autoconfig"}},
		rules.Rule{Name: "cloud", Domains: []string{"lab.test"}, Services: []string{"autodetect"}},
		rules.Rule{Name: "exception", Domains: []string{"*.lab.test"}, Until: end, Mode: rules.Monitor},
	)
	at := func(client string, when time.Time) rules.From { return rules.From{Client: mustAddr(client), At: when} }
	cloud := question("https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect?email=user@lab.test")
	for _, c := range []struct {
		name    string
		request dialect.Request
		from    rules.From
		want    string
	}{
		{"a client in the range", poxQuestion("lab.test"), at("10.1.2.3", end), "office"},
		{"a client in the range, mapped into IPv6", poxQuestion("lab.test"), at("::ffff:10.1.2.3", end), "office"},
		{"another client", poxQuestion("lab.test"), at("192.0.2.1", end), "private-use"},
		{"an unknown client", poxQuestion("lab.test"), rules.From{}, "private-use"},
		{"the first dialect of two", poxQuestion("two.test"), rules.From{}, "two"},
		{"the second dialect of two", question("https://autoconfig.two.test/mail/config-v1.1.xml"), rules.From{}, "two"},
		{"a central service", cloud, rules.From{}, "cloud"},
		{"before the end", poxQuestion("eu.lab.test"), at("192.0.2.1", end.Add(-time.Second)), "exception"},
		{"at the end", poxQuestion("eu.lab.test"), at("192.0.2.1", end), "private-use"},
		{"at no time", poxQuestion("eu.lab.test"), rules.From{}, "exception"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := p.Plan(c.request, c.from).Decision.Rule; got != c.want {
				t.Errorf("rule %q, want %q", got, c.want)
			}
		})
	}
	if w := p.Warnings(end); len(w) != 1 || !strings.Contains(w[0], "exception") || len(p.Warnings(end.Add(-time.Hour))) != 0 {
		t.Errorf("warnings %v", w)
	}
}

// TestWarnings_serviceOff: a rule for a service that nobody opens looks as if it held.
func TestWarnings_serviceOff(t *testing.T) {
	for services, want := range map[string]string{
		"office365": "rule pin is for office365 alone, which is off", "office365,identity": "rule pin is for office365, identity alone", "office365,ispdb": "", "ispdb": "",
	} {
		r := pin
		r.Services = strings.Split(services, ",")
		w := withRules(t, r).Warnings(time.Now())
		if got := strings.Join(w, "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", services, got, want)
		}
	}
	for selectors, want := range map[string]string{
		"|identity": "rule pin is for the dialect identity alone", "|identity,suspected": "rule pin is for the dialect identity, suspected alone",
		"|pox": "", "|doh": "", "|ispdb": "", "|identity,pox": "",
		"ispdb|pox": "rule pin is for pox at ispdb alone", "ispdb|autoconfig": "rule pin is for autoconfig at ispdb alone", "ispdb|ispdb,pox": "", "ispdb|suspected,jmap": "",
	} {
		r := pin
		services, dialects, _ := strings.Cut(selectors, "|")
		r.Dialects = strings.Split(dialects, ",")
		if services != "" {
			r.Services = strings.Split(services, ",")
		}
		w := withRules(t, r).Warnings(time.Now())
		if got := strings.Join(w, "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", selectors, got, want)
		}
	}
	r := pin
	r.Services = []string{"office365"}
	on, err := rules.New(rules.Config{Rules: []rules.Rule{r}, Services: map[string]rules.Mode{"office365": rules.Enforce}})
	if err != nil || len(on.Warnings(time.Now())) != 0 {
		t.Errorf("switched on: %v, %v", err, on.Warnings(time.Now()))
	}
}

// TestPlan_upstream: who is asked, and with what.
func TestPlan_upstream(t *testing.T) {
	login := func(host string) dialect.Request {
		r := question("https://" + host + "/autodiscover/autodiscover.json?Email=user@corp.example.net&Protocol=ActiveSync")
		r.Header["Authorization"] = []string{basic("user@corp.example.net:secret")}
		return r
	}
	scrubbed, never := pin, pin
	scrubbed.Upstream, never.Upstream = rules.AskScrubbed, rules.AskNever
	for _, c := range []struct {
		name string
		rule rules.Rule
		host string
		want rules.Step
	}{
		{"a host in the set gets the password", pin, "autodiscover.corp.example.net", rules.Forward},
		{"an allowed central service, too", pin, "outlook.office365.com", rules.Forward},
		{"another central service gets a question without secrets", pin, "autodiscover-s.outlook.com", rules.Scrub},
		{"any other host gets nothing", pin, "autodiscover.stranger.net", rules.Refuse},
		{"scrubbed asks any host without secrets", scrubbed, "autodiscover.stranger.net", rules.Scrub},
		{"never asks no central service", never, "autodiscover-s.outlook.com", rules.Refuse},
		{"never still asks the set", never, "autodiscover.corp.example.net", rules.Forward},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := withRules(t, c.rule).Plan(login(c.host), rules.From{})
			if plan.Step != c.want || plan.Decision.Credentials.Forwarded != (c.want == rules.Forward) {
				t.Errorf("%v, forwarded %v: %s", plan.Step, plan.Decision.Credentials.Forwarded, plan.Decision.Reason)
			}
		})
	}
}

// TestPolicy_monotoneInAllow: a smaller set of allowed hosts never lets more through.
func TestPolicy_monotoneInAllow(t *testing.T) {
	looked := 0
	wide := rules.Rule{Name: "lab", Domains: []string{"lab.test", "*.lab.test"}, Allow: []string{"lab.test", "*.lab.test", "*.stranger.net"}, Otherwise: rules.RemoveStrangers}
	narrow := wide
	narrow.Allow = []string{"mail.lab.test"}
	for _, x := range loadCorpus(t) {
		planWide, w := decide(policyFor(t, exchange{services: x.services, rules: []rules.Rule{wide}}), x.request, x.answer)
		planNarrow, n := decide(policyFor(t, exchange{services: x.services, rules: []rules.Rule{narrow}}), x.request, x.answer)
		if w.Rule != "lab" {
			continue
		}
		looked++
		if n.Action == rules.ActionPass && w.Action != rules.ActionPass {
			t.Errorf("%s: %v with the larger set, pass with the smaller", x.name, w.Action)
		}
		if planNarrow.Decision.Credentials.Forwarded && !planWide.Decision.Credentials.Forwarded {
			t.Errorf("%s: the smaller set gets the password", x.name)
		}
	}
	if looked < 100 {
		t.Errorf("only %d exchanges were looked at", looked)
	}
}

// TestPin_ownNameAsHost: a pinned domain's own name may stand in words and addresses of an answer, and not as a host that nobody allowed.
func TestPin_ownNameAsHost(t *testing.T) {
	r := pin
	r.Otherwise = rules.RemoveStrangers
	p := withRules(t, r)
	request := question("https://autoconfig.corp.example.net/mail/config-v1.1.xml")
	document := func(extra string) dialect.Answer {
		return dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(`<clientConfig version="1.1"><emailProvider id="corp.example.net">` +
			`<domain>corp.example.net</domain><incomingServer type="imap"><hostname>imap.corp.example.net</hostname><port>993</port><username>jane@corp.example.net</username></incomingServer>` +
			extra + `</emailProvider></clientConfig>`)}
	}
	for _, c := range []struct {
		name, extra, help string
		want              rules.Action
	}{
		{"in the usual places", "", "", rules.ActionPass},
		{"in words", "<displayName>Mail of corp.example.net</displayName>", "", rules.ActionPass},
		{"in words of a header field", "", "ask the desk at corp.example.net", rules.ActionPass},
		{"in a URL of a header field, which does not go along", "", "https://corp.example.net/help", rules.ActionEdit},
		{"in a URL of an element, which is taken out", "<displayName>see https://corp.example.net/</displayName>", "", rules.ActionEdit},
		{"in a URL of an unknown element, which is taken out", "<unknownThing>https://corp.example.net/setup</unknownThing>", "", rules.ActionEdit},
		{"in words of an unknown element beside such a URL", "<unknownThing>https://corp.example.net/setup</unknownThing><other>corp.example.net</other>", "", rules.ActionRefuse},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := document(c.extra)
			if c.help != "" {
				a.Header["X-Help"] = []string{c.help}
			}
			if d := judged(p, request, a); d.Action != c.want || d.Action == rules.ActionEdit && strings.Contains(string(d.Answer.Body), "//") {
				t.Errorf("%v, want %v: %s: %s", d.Action, c.want, d.Reason, d.Answer.Body)
			}
		})
	}
}

// TestRules_openTheirDomains: what an operator guards is opened, and is in the authority's scope.
func TestRules_openTheirDomains(t *testing.T) {
	p := withRules(t, pin)
	if !p.Opens("autodiscover.corp.example.net") || p.Opens("www.shop.com") {
		t.Error("the rule's domain is not opened, or its neighbour is")
	}
	if !strings.Contains(fmt.Sprint(p.Scope()), "corp.example.net") {
		t.Errorf("scope %v", p.Scope())
	}
	if other := withRules(t, rules.Rule{Name: "pin", Domains: pin.Domains}); other.Revision() == p.Revision() {
		t.Error("another set, the same revision")
	}
}

// BenchmarkPlan_rules: however many rules there are, a domain without one costs the same.
func BenchmarkPlan_rules(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		all := make([]rules.Rule, 0, n)
		for i := range n {
			all = append(all, rules.Rule{Name: fmt.Sprint("r", i), Domains: []string{fmt.Sprintf("d%d.example.net", i), fmt.Sprintf("*.d%d.example.net", i)}})
		}
		b.Run(fmt.Sprint("load-", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				withRules(b, all...)
			}
		})
		p := withRules(b, all...)
		r := poxQuestion("shop.com")
		b.Run(fmt.Sprint("miss-", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if p.Plan(r, rules.From{}).Guarded {
					b.Fatal("guarded")
				}
			}
		})
	}
}
