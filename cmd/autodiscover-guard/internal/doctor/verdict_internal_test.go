package doctor

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

const strangersPOX = `<Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>imap.stranger.net</Server></Protocol></Account></Response></Autodiscover>`

var ownPOX = strings.ReplaceAll(strangersPOX, "stranger.net", "example.com")

// exchanged is a question of Outlook's for a documentation name and its native answer.
func exchanged(t *testing.T, e *examination, url string) *exchange {
	t.Helper()
	c := client{name: "Outlook"}
	q := postWithLogin(url, POX)
	if !strings.Contains(url, poxPath) {
		q = getWithLogin(url)
	}
	r, err := c.ask(q, account{e.identity, documentation})
	if err != nil {
		t.Fatal(err)
	}
	x := e.plan(r)
	x.answer = dialect.Refuse(x.plan.Inquiry)
	x.took = time.Millisecond
	return x
}

// Each fault that CLIENTS and the atlas know of is noticed, one at a time.
func TestVerdict_noticesFaults(t *testing.T) {
	set := func(name, value string) func(*exchange) {
		return func(x *exchange) { x.answer.Header[name] = []string{value} }
	}
	status := func(n int) func(*exchange) { return func(x *exchange) { x.answer.Status = n } }
	body := func(text string) func(*exchange) { return func(x *exchange) { x.answer.Body = []byte(text) } }
	for _, c := range []struct {
		name  string
		spoil func(*exchange)
		want  string // "" is fine
	}{
		{"native", func(*exchange) {}, ""},
		{"challenge", status(401), "status 401"},
		{"forbidden", status(403), "status 403"},
		{"proxy challenge", status(407), "status 407"},
		{"overloaded", status(429), "status 429"},
		{"gateway", status(502), "status 502"},
		{"no content", status(204), "status 204"},
		{"redirect", func(x *exchange) {
			x.answer = dialect.Answer{Status: 302, Header: dialect.Header{"Location": {"https://autodiscover.stranger.net/"}}}
		}, "stranger.net"},
		{"redirect home", func(x *exchange) {
			x.answer = dialect.Answer{Status: 302, Header: dialect.Header{"Location": {"https://www.example.com/"}}}
		}, "example.com"},
		{"not found", status(404), "answered with 404"},
		{"place", set("Location", "/elsewhere"), "example.com"},
		{"asks for a login", set("Www-Authenticate", "Basic realm=x"), "Www-Authenticate"},
		{"cookie", set("Set-Cookie", "a=b"), "Set-Cookie"},
		{"comes back", set("Retry-After", "5"), "Retry-After"},
		{"page", body("<html>hello</html>"), "own answer is"},
		{"empty", body(""), "own answer is"},
		{"other type", set("Content-Type", "text/html"), "own answer is"},
		{"broken", func(x *exchange) { x.err = errors.New("EOF") }, "is not answered: EOF"},
		{"another authority", func(x *exchange) { x.err = x509.UnknownAuthorityError{} }, "not of this authority"},
	} {
		for _, url := range []string{"https://autodiscover.example.com" + poxPath, "https://autodiscover-s.outlook.com" + poxPath, autoDetect} {
			t.Run(c.name+" "+url, func(t *testing.T) {
				e := examiner(t, rules.Config{Services: map[string]rules.Mode{"office365": rules.Enforce}})
				x := exchanged(t, e, url)
				if x.skip != "" {
					t.Fatal(x.skip)
				}
				c.spoil(x)
				f := e.verdict(x, documentation)
				if (f.State == OK) != (c.want == "") || !strings.Contains(f.What, c.want) {
					t.Errorf("%s %q, want %q", f.State, f.What, c.want)
				}
				if f.State != OK && f.Do == "" {
					t.Errorf("%q, and nothing to do", f.What)
				}
			})
		}
	}
}

func TestVerdict_strangers(t *testing.T) {
	for _, url := range []string{"https://autodiscover.example.com" + poxPath, "https://autodiscover-s.outlook.com" + poxPath} {
		e := examiner(t, rules.Config{Services: map[string]rules.Mode{"office365": rules.Enforce}})
		x := exchanged(t, e, url)
		x.answer.Body = []byte(strangersPOX)
		if f := e.verdict(x, documentation); f.State != Fail || !strings.Contains(f.What, "a stranger (imap.stranger.net) reaches clients of example.com") {
			t.Errorf("%s: %+v", url, f)
		}
	}
}

func TestVerdict_monitored(t *testing.T) {
	e := examiner(t, rules.Config{Rules: []rules.Rule{{Name: "watch", Domains: []string{documentation}, Allow: []string{"*.example.com"}, Mode: rules.Monitor}}})
	x := exchanged(t, e, "https://autodiscover.example.com"+poxPath)
	if f := e.verdict(x, documentation); f.State != Warning || !strings.Contains(f.What, "rule watch only monitors") {
		t.Errorf("quiet: %+v", f)
	}
	x.answer.Body = []byte(ownPOX)
	if f := e.verdict(x, documentation); f.State != Warning {
		t.Errorf("own: %+v", f)
	}
	x.answer.Body = []byte(strings.Replace(ownPOX, "<Protocol>", "<Protocol><Type>SMTP</Type><Server>imap.stranger.net</Server></Protocol><Protocol>", 1))
	if f := e.verdict(x, documentation); f.State != Fail || f.What != "a stranger (imap.stranger.net) reaches clients of example.com: rule watch only monitors" {
		t.Errorf("stranger: %+v", f)
	}
	// The domain itself is not in the set, and answers with what is: its own servers are no strangers, and a stranger is told first.
	own := exchanged(t, e, "https://example.com"+poxPath)
	own.answer.Body = []byte(ownPOX)
	if f := e.verdict(own, documentation); f.State != Fail || f.What != "example.com, outside rule watch, tells clients of example.com servers: the rule only monitors, and would refuse that" ||
		!strings.Contains(f.Do, "put it into allow of rule watch") {
		t.Errorf("outside: %+v", f)
	}
	for _, all := range [][]*exchange{{own, x}, {x, own}} {
		if f := e.judge(&clientRun{client: client{name: "C"}, account: account{domain: documentation}, exchanges: all}); !strings.Contains(f.What, "imap.stranger.net") {
			t.Errorf("%+v", f)
		}
	}
}

// The servers of a rule may be named, and nobody else's.
func TestVerdict_ownServers(t *testing.T) {
	e := examiner(t, rules.Config{Rules: []rules.Rule{{Name: "own", Domains: []string{documentation}, Allow: []string{"*.example.com"}}}})
	x := exchanged(t, e, "https://autodiscover.example.com"+poxPath)
	x.answer.Body = []byte(ownPOX)
	if f := e.verdict(x, documentation); f.State != OK {
		t.Errorf("own: %+v", f)
	}
	x.answer = dialect.Answer{Status: 302, Header: dialect.Header{"Location": {"https://mail.example.com" + poxPath}}}
	if f := e.verdict(x, documentation); f.State != OK {
		t.Errorf("own redirect: %+v", f)
	}
	x.answer = dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(strangersPOX)}
	if f := e.verdict(x, documentation); f.State != Fail {
		t.Errorf("stranger: %+v", f)
	}
	// A log-in is asked for by each Exchange server, and a cookie set by the load balancer before it. Nobody else may.
	login := dialect.Answer{Status: 401, Header: dialect.Header{"Www-Authenticate": {"Negotiate"}, "Set-Cookie": {"a=b"}}}
	x.answer = login
	if f := e.verdict(x, documentation); f.State != OK {
		t.Errorf("an own log-in: %+v", f)
	}
	run := &clientRun{client: client{name: "C"}, account: account{domain: documentation}, exchanges: []*exchange{x}}
	if f := e.judge(run); f.State != OK || f.What != "1 of 1 questions asked (pox), each answered natively and quietly; 1 as a host of the rule answers: status 401" {
		t.Errorf("an own log-in: %+v", f)
	}
	x.answer = dialect.Answer{Status: 401, Header: dialect.Header{"Www-Authenticate": {`Basic realm="https://mail.stranger.net/"`}}}
	if f := e.verdict(x, documentation); f.State != Fail {
		t.Errorf("a stranger's log-in: %+v", f)
	}
	x = exchanged(t, examiner(t, rules.Config{Services: map[string]rules.Mode{"office365": rules.Enforce}}), "https://autodiscover-s.outlook.com"+poxPath)
	x.answer = login
	if f := e.verdict(x, documentation); f.State != Fail || !strings.Contains(f.What, "status 401") {
		t.Errorf("a central service's log-in: %+v", f)
	}
}

// A rule that answers by itself names servers, which are no strangers.
func TestVerdict_answeredLocally(t *testing.T) {
	e := examiner(t, rules.Config{Rules: []rules.Rule{{
		Name: "own", Domains: []string{documentation}, Answer: rules.AnswerLocal, Allow: []string{"*.example.com"},
		Servers: []dialect.Server{{Protocol: "imap", Host: "imap.example.com"}},
	}}})
	x := exchanged(t, e, "https://autodiscover.example.com"+poxPath)
	x.answer = x.plan.Decision.Answer
	if f := e.verdict(x, documentation); f.State != OK || !strings.Contains(string(x.answer.Body), "imap.example.com") {
		t.Errorf("%+v: %s", f, x.answer.Body)
	}
	x.answer.Body = []byte(ownPOX)
	if f := e.verdict(x, documentation); f.State != Fail {
		t.Errorf("another answer: %+v", f)
	}
}

// An admin listener whose name nobody resolves is no guard that has ended.
func TestForSilence(t *testing.T) {
	unresolved := fmt.Errorf("dial: %w", &net.DNSError{Err: "no such host", Name: "gateway.corp.example"})
	if got := adminRemedy(unresolved); !strings.Contains(got, "gateway.corp.example") {
		t.Errorf("a name that does not resolve: %q", got)
	}
	for _, err := range []error{nil, errors.New("connection refused")} {
		if got := adminRemedy(err); !strings.Contains(got, "start the guard") {
			t.Errorf("%v: %q", err, got)
		}
	}
}
