package rules_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// everyExchange is the project's own corpus and, where it is there, the shared one.
func everyExchange(t *testing.T) []exchange {
	t.Helper()
	all := loadCorpus(t)
	t.Run("shared corpus", func(t *testing.T) { // on its own, because it is skipped where there is none
		for _, s := range loadShared(t) {
			all = append(all, exchange{name: s.name, services: "office365", request: s.request, answer: s.answer})
		}
	})
	return all
}

// oracles are the properties that hold for every exchange whatever it is; the fuzz targets ask them, too.
func oracles(p *rules.Policy, r dialect.Request, a dialect.Answer) error {
	plan, d := decide(p, r, a)
	for _, check := range []func(*rules.Policy, rules.Plan, rules.Decision, dialect.Answer) error{
		decided, noSurvivor, wellFormed, truthful, idempotent, secretsStay,
	} {
		if err := check(p, plan, d, a); err != nil {
			return err
		}
	}
	return nil
}

// decided: every exchange that is ours has an action, a reason, and a rule where it is changed.
func decided(_ *rules.Policy, plan rules.Plan, d rules.Decision, _ dialect.Answer) error {
	if plan.Step == rules.Ignore {
		return nil
	}
	if d.Action == 0 || d.Reason == "" {
		return fmt.Errorf("undecided: %+v", d)
	}
	if d.Action != rules.ActionPass && d.Rule == "" {
		return fmt.Errorf("%v without a rule", d.Action)
	}
	if s := d.Answer.Status; d.Action == rules.ActionRefuse && s != 200 && s != 404 && (s != 410 || plan.Inquiry.Dialect != dialect.ISPDB) {
		return fmt.Errorf("refused with status %d", s)
	}
	return nil
}

// noSurvivor: nothing that was removed is left in what the client gets, by plain text search in any unescaped form.
func noSurvivor(_ *rules.Policy, plan rules.Plan, d rules.Decision, _ dialect.Answer) error {
	if d.Action != rules.ActionEdit && d.Action != rules.ActionRefuse {
		return nil
	}
	_, answer, _ := strings.Cut(string(message(d.Answer)), " ") // the protocol's version looks like an address to some
	out := strings.ToLower(html.UnescapeString(answer))
	for _, name := range slices.Concat(nameSpaces, versions) {
		out = strings.ReplaceAll(out, name, "")
	}
	for _, s := range d.Suggestions {
		if s.Verdict == dialect.Keep || s.Kind == dialect.KindPort || !strings.Contains(s.Host, ".") {
			continue
		}
		if d.Action == rules.ActionRefuse && about(d, s.Host) { // the refusal repeats the address that the client asked about
			continue
		}
		if s.Was != s.Host && s.Host == plan.Inquiry.Request.Host() && below(d, s.Host) { // a relative Location that went with other fields: no stranger
			continue
		}
		told := out
		if d.Action == rules.ActionEdit && slices.Contains(d.Subjects, s.Host) { // the mail domain, which addresses have although its web site is a stranger
			for _, place := range []string{"@", "<domain>", "<displayname>", "<displayshortname>", `<emailprovider id="`} {
				told = strings.ReplaceAll(told, place+s.Host, place)
			}
		}
		if named(told, s.Host) && !keeps(d, s.Host) {
			return fmt.Errorf("%q survives as %q in %q", s.Was, s.Host, out)
		}
	}
	return nil
}

// nameSpaces stand in every document as names of namespaces.
var nameSpaces = []string{"schemas.microsoft.com", "schemas.xmlsoap.org", "www.w3.org", "www.apple.com"}

// versions stand in documents, and read like addresses to some.
var versions = []string{`version="1.0"`, `version="1.1"`}

// named reports whether a text names host, or something below it, as a whole word: what fuzzing takes for a host (".1") is part of many.
func named(text, host string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], host)
		if at < 0 {
			return false
		}
		at += from
		from = at + 1
		before, after := text[:at], strings.TrimPrefix(text[at+len(host):], ".")
		if (before == "" || !labelByte(before[len(before)-1])) && (after == "" || !labelByte(after[0])) {
			return true
		}
	}
}

func labelByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c >= 0x80
}

// about reports whether host is part of a subject's domain.
func about(d rules.Decision, host string) bool {
	for _, domain := range d.Subjects {
		if strings.Contains(domain, host) {
			return true
		}
	}
	return false
}

// below reports whether host is in a subject's domain.
func below(d rules.Decision, host string) bool {
	return slices.ContainsFunc(d.Subjects, func(domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) })
}

// keeps reports whether some host that is told contains host as text (mail.lab.test contains lab.test), or has it below itself: an own host
// that went with the page of a redirect may be part of the redirect's path.
func keeps(d rules.Decision, host string) bool {
	for _, s := range d.Suggestions {
		told := s.Host
		if s.Verdict == dialect.Rewrite {
			told = s.Now
		}
		if s.Verdict != dialect.Remove && (strings.Contains(told, host) || strings.HasSuffix(host, "."+told)) {
			return true
		}
	}
	return false
}

// wellFormed: a second parser accepts what we write.
func wellFormed(_ *rules.Policy, _ rules.Plan, d rules.Decision, _ dialect.Answer) error {
	if d.Action != rules.ActionEdit && d.Action != rules.ActionRefuse || len(d.Answer.Body) == 0 {
		return nil
	}
	if d.Answer.Header.Get("Content-Type") == "application/dns-message" {
		return new(dnsmessage.Message).Unpack(d.Answer.Body)
	}
	if strings.Contains(d.Answer.Header.Get("Content-Type"), "json") {
		if !json.Valid(d.Answer.Body) {
			return fmt.Errorf("not JSON: %q", d.Answer.Body)
		}
		return nil
	}
	decoder := xml.NewDecoder(bytes.NewReader(d.Answer.Body))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("not XML: %w: %q", err, d.Answer.Body)
		}
	}
}

// truthful: what the record says was there is there, and what it says the client gets is what the client gets.
func truthful(_ *rules.Policy, plan rules.Plan, d rules.Decision, _ dialect.Answer) error {
	kept := 0
	for _, s := range d.Suggestions {
		switch {
		case s.Verdict == dialect.Keep && s.Now != s.Was, s.Verdict == dialect.Remove && s.Now != "", s.Verdict == dialect.Unjudged:
			return fmt.Errorf("verdict %v says %q became %q", s.Verdict, s.Was, s.Now)
		case s.Verdict == dialect.Keep || s.Verdict == dialect.Rewrite:
			kept++
		}
	}
	if d.Action == rules.ActionRefuse && kept > 0 {
		return fmt.Errorf("refused, but %d suggestions are said to be kept", kept)
	}
	if d.Action != rules.ActionEdit || d.Answer.Status == 401 { // a challenge suggests nothing
		return nil
	}
	if kept == 0 {
		return errors.New("edited, but nothing is said to be kept")
	}
	again, err := dialect.Read(plan.Inquiry, d.Answer)
	if err != nil {
		return err
	}
	said, there := told(d.Suggestions), told(again.Suggestions)
	if diff := cmp.Diff(there, said); diff != "" {
		return fmt.Errorf("what the client is said to get (+) is not what is there (-): %s: %s", diff, d.Answer.Body)
	}
	return nil
}

// told counts what suggestions tell a client: each port, and how many of each other kind, which an edit may spell in another way.
func told(all []dialect.Suggestion) map[string]int {
	out := map[string]int{}
	for _, s := range all {
		now := s.Now
		if s.Verdict == dialect.Unjudged {
			now = s.Was
		}
		if s.Kind != dialect.KindPort {
			now = ""
		}
		if s.Verdict != dialect.Remove {
			out[fmt.Sprint(s.Kind, " ", now)]++
		}
	}
	return out
}

// idempotent: deciding on the client's answer once more changes nothing.
func idempotent(p *rules.Policy, plan rules.Plan, d rules.Decision, _ dialect.Answer) error {
	switch {
	case plan.Step == rules.Ignore || plan.Step == rules.Refuse || d.Dialect == dialect.Suspected:
		return nil
	case d.Action == rules.ActionEdit:
		if again := p.Judge(&plan, d.Answer); again.Action != rules.ActionPass {
			return fmt.Errorf("edited answer is judged again: %v, %s: %s", again.Action, again.Reason, d.Answer.Body)
		}
	case d.Action == rules.ActionRefuse && plan.Guarded:
		if again := p.Judge(&plan, d.Answer); again.Action != rules.ActionRefuse || !cmp.Equal(again.Answer.Status, d.Answer.Status) {
			return fmt.Errorf("refusal is judged again: %v, %s", again.Action, again.Reason)
		}
	}
	return nil
}

// secretsStay: what goes to a host outside the rule has no password in it.
func secretsStay(_ *rules.Policy, plan rules.Plan, d rules.Decision, _ dialect.Answer) error {
	if plan.Step != rules.Scrub {
		return nil
	}
	if d.Credentials.Forwarded {
		return errors.New("scrubbed, but credentials are said to be forwarded")
	}
	for name, values := range plan.Header {
		for _, v := range values {
			user, colon, ok := dialect.BasicUser(v)
			if name == "Authorization" && (!ok || !colon || !strings.Contains(user, "@")) {
				return fmt.Errorf("authorization survives the scrubbing: %q", v)
			}
			if strings.Contains(name, "Cookie") || strings.HasPrefix(name, "Proxy-") {
				return fmt.Errorf("%s survives the scrubbing", name)
			}
		}
	}
	return nil
}

func TestProperties(t *testing.T) {
	for _, x := range everyExchange(t) {
		if err := oracles(policyFor(t, x), x.request, x.answer); err != nil {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}

// TestProperty_identity: under a policy that guards nobody, every exchange passes as it is.
func TestProperty_identity(t *testing.T) {
	p := unguarded(t)
	for _, x := range everyExchange(t) {
		plan, d := decide(p, x.request, x.answer)
		if plan.Step == rules.Ignore || d.Rule == "back-off" {
			continue
		}
		if d.Action != rules.ActionPass || plan.Header != nil {
			t.Errorf("%s: %v, %v: %s", x.name, plan.Step, d.Action, d.Reason)
		}
	}
}

// TestProperty_monotone: a larger reserved set never turns a refusal into a pass.
func TestProperty_monotone(t *testing.T) {
	for _, x := range everyExchange(t) {
		_, small := decide(policyFor(t, exchange{services: "office365", rules: x.rules}), x.request, x.answer)
		_, large := decide(allServices(t, x.rules...), x.request, x.answer)
		if large.Action == rules.ActionPass && small.Action != rules.ActionPass && small.Action != 0 {
			t.Errorf("%s: %v with the smaller set, pass with the larger", x.name, small.Action)
		}
	}
}

// TestProperty_nameInvariance: however a domain is spelled, it gets the same answer.
func TestProperty_nameInvariance(t *testing.T) {
	p, err := rules.New(rules.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, domain := range []string{
		"example.com", "EXAMPLE.com", "example.com.", "mail.eu.example.com", "ｅｘａｍｐｌｅ.com", "example。com", "exa\u00admple.com",
		"invalid", "a.invalid", "xn--mgbh0fb.xn--kgbechtv", "مثال.إختبار", "example",
	} {
		for _, carrier := range []func(*dialect.Request){
			func(r *dialect.Request) { r.Header["X-Email"] = []string{"user@" + domain} },
			func(r *dialect.Request) { r.Header["X-Anchormailbox"] = []string{"SMTP:user@" + domain} },
			func(r *dialect.Request) { r.Header["Authorization"] = []string{basic("user@" + domain + ":secret")} },
			func(r *dialect.Request) { r.Header["Authorization"] = []string{basic("user@" + domain)} },
			func(r *dialect.Request) { r.URL.RawQuery = "email=" + url.QueryEscape("user@"+domain) },
			func(r *dialect.Request) { r.URL.RawQuery = "Email=" + url.QueryEscape(url.QueryEscape("user@"+domain)) },
			func(r *dialect.Request) { r.URL.RawQuery = "domain=" + url.QueryEscape(domain) },
			func(r *dialect.Request) { r.URL.User = url.UserPassword("user@"+domain, "secret") },
		} {
			r := question("https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect")
			carrier(&r)
			plan := p.Plan(r, rules.From{})
			if plan.Step != rules.Scrub || plan.Decision.Rule != "documentation" {
				t.Errorf("%q in %v %q %q: step %v, rule %q", domain, r.Header, r.URL.RawQuery, r.URL.User, plan.Step, plan.Decision.Rule)
			}
		}
	}
}

// TestProperty_lookalikesAreNotGuarded: names that only look reserved belong to somebody.
func TestProperty_lookalikesAreNotGuarded(t *testing.T) {
	p, err := rules.New(rules.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, domain := range []string{"notexample.com", "example.com.evil.net", "myexample", "testing", "example.co", "invalid.net", "test.de"} {
		r := question("https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect")
		r.Header["X-Email"] = []string{"user@" + domain}
		if plan := p.Plan(r, rules.From{}); plan.Step != rules.Forward || plan.Guarded {
			t.Errorf("%q is guarded: %+v", domain, plan.Decision)
		}
	}
}

// TestProperty_scopeCoversWhatIsOpened: whatever Opens accepts lies below a name of Scope, so that the authority can sign for it.
func TestProperty_scopeCoversWhatIsOpened(t *testing.T) {
	p := allServices(t)
	inScope := func(host string) bool {
		for _, name := range p.Scope() {
			if host == name || strings.HasSuffix(host, "."+name) {
				return true
			}
		}
		return false
	}
	for _, host := range []string{
		"autodiscover.example.com", "example", "mail.lab.test", "prod.autodetect.outlook.cloud.microsoft", "outlook.office365.com",
		"bank.example.co.uk", "outlook.cloud.microsoft", "192.0.2.1", "example.com.evil.net", "autodiscover.com", "evilexample.com",
	} {
		if opened := p.Opens(host); opened != inScope(reserved.Canonical(host)) {
			t.Errorf("%s: opened %v, in scope %v", host, opened, !opened)
		}
	}
}
