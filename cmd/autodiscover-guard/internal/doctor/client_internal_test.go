package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

func examiner(t *testing.T, c rules.Config) *examination {
	t.Helper()
	policy, err := rules.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &examination{Config: Config{Policy: policy}, identity: newIdentity(), begun: time.Now()}
}

// Every question is discovery, and about the account; together they speak every dialect that is switched on.
func TestClients_everyQuestionIsRecognised(t *testing.T) {
	e := examiner(t, rules.Config{})
	spoken := map[dialect.ID]bool{}
	for _, c := range clients {
		for _, q := range c.questions {
			a := account{e.identity, "lab.example"}
			r, err := c.ask(q, a)
			if err != nil {
				t.Fatal(err)
			}
			inquiry, ok := dialect.Recognise(r)
			if !ok {
				t.Errorf("%s: %s %s is no discovery", c.name, q.method, r.URL)
				continue
			}
			spoken[inquiry.Dialect] = true
			if !slices.ContainsFunc(inquiry.Subjects, func(s dialect.Subject) bool { return s.Domain == a.domain || strings.HasSuffix(s.Domain, "."+a.domain) }) {
				t.Errorf("%s: %s %s is about %v", c.name, q.method, r.URL, inquiry.Subjects)
			}
			if q.login != strings.HasPrefix(r.Header.Get("Authorization"), "Basic ") {
				t.Errorf("%s: %s %s: login %v, %v", c.name, q.method, r.URL, q.login, r.Header)
			}
		}
	}
	for _, info := range dialect.All() {
		switch info.ID {
		case dialect.DoH, dialect.Identity, dialect.Suspected: // switched off by default
		default:
			if !spoken[info.ID] {
				t.Errorf("no client speaks %s", info.Name)
			}
		}
	}
}

// Two runs have nothing in common that could be taken for one, and no name is one that somebody has.
func TestIdentity(t *testing.T) {
	a, b := newIdentity(), newIdentity()
	if a.local == b.local || a.password == b.password {
		t.Errorf("%v is %v", a, b)
	}
	p, err := rules.New(rules.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for domain, guarded := range map[string]bool{documentation: true, a.local + privateUse: true, a.local + unguarded: false} {
		if got := p.Opens("autodiscover." + domain); got != guarded {
			t.Errorf("%s is opened: %v", domain, got)
		}
		if _, shunned := p.Shun("autodiscover." + domain); shunned {
			t.Errorf("autodiscover.%s is shunned", domain)
		}
	}
}

// What would travel to strangers, or unread, is not asked.
func TestExamination_plan(t *testing.T) {
	for _, c := range []struct {
		name, url string
		config    rules.Config
		want      skipReason
	}{
		{"guarded", "https://autodiscover.example.com" + poxPath, rules.Config{}, ""},
		{"guarded, of a service", autoDetect, rules.Config{}, ""},
		{"a service that is off", autoDetect, rules.Config{Services: map[string]rules.Mode{"autodetect": rules.Off}}, skipClosed},
		{"nobody guarded, plain", "http://autodiscover.shop.net" + poxPath, rules.Config{}, skipUnguarded},
		{"nobody guarded", "https://autodiscover.shop.net" + poxPath, rules.Config{}, skipClosed},
		{"opened, and nobody guarded", "https://autodiscover.shop.net" + poxPath, rules.Config{Open: []string{"shop.net"}}, skipUnguarded},
		{"monitored", "https://autodiscover.shop.net" + poxPath, rules.Config{Rules: []rules.Rule{{Name: "watch", Domains: []string{"shop.net"}, Mode: rules.Monitor}}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := examiner(t, c.config)
			domain := documentation
			if strings.Contains(c.url, "shop.net") {
				domain = "shop.net"
			}
			r, err := client{}.ask(getWithLogin(c.url), account{e.identity, domain})
			if err != nil {
				t.Fatal(err)
			}
			if got := e.plan(r).skip; got != c.want {
				t.Errorf("left out because %q, want %q", got, c.want)
			}
		})
	}
}
