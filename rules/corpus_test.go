package rules_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

var update = flag.Bool("update", false, "rewrite the expectations of the corpus")

// exchange is one corpus case: what a client asked and what upstream said.
type exchange struct {
	name     string
	comment  []byte
	services string // the services that the case switches on
	rules    []rules.Rule
	request  dialect.Request
	answer   dialect.Answer
	want     map[string][]byte
}

// known are the sections that a case may have; anything else is a typing error.
var known = []string{"services", "rules.json", "request", "response", "answer", "decision.json"}

// loadCorpus reads the project's own cases: text archives whose request and response sections are HTTP messages with bare newlines. The
// newline before the next section does not belong to the body.
func loadCorpus(t testing.TB) []exchange {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	var all []exchange
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/corpus/"), ".txtar")
		x := exchange{name: name, comment: archive.Comment, want: map[string][]byte{}}
		for _, section := range archive.Files {
			if !slices.Contains(known, section.Name) {
				t.Fatalf("%s: unknown section %q; want one of %v", file, section.Name, known)
			}
			x.want[section.Name] = section.Data
		}
		x.services = strings.TrimSpace(string(x.want["services"]))
		x.rules = parseRules(t, file, x.want["rules.json"])
		x.request = parseRequest(t, file, x.want["request"])
		x.answer = parseAnswer(t, file, x.want["response"])
		all = append(all, x)
	}
	return all
}

// parseRules reads an operator's rules in the words of the configuration file.
func parseRules(t testing.TB, file string, section []byte) []rules.Rule {
	t.Helper()
	if section == nil {
		return nil
	}
	var said []struct {
		Name                              string
		Domains, Allow                    []string
		Otherwise, Answer, Mode, Upstream string
		Servers                           []dialect.Server
	}
	if err := json.Unmarshal(section, &said); err != nil {
		t.Fatalf("%s: rules: %v", file, err)
	}
	var all []rules.Rule
	for _, s := range said {
		r := rules.Rule{Name: s.Name, Domains: s.Domains, Allow: s.Allow, Servers: s.Servers}
		r.Otherwise = map[string]rules.Otherwise{"": rules.Block, "block": rules.Block, "remove": rules.RemoveStrangers, "rewrite": rules.Rewrite}[s.Otherwise]
		r.Answer = map[string]rules.Answering{"local": rules.AnswerLocal}[s.Answer]
		r.Mode = map[string]rules.Mode{"monitor": rules.Monitor}[s.Mode]
		r.Upstream = map[string]rules.Asking{"scrubbed": rules.AskScrubbed, "never": rules.AskNever}[s.Upstream]
		all = append(all, r)
	}
	return all
}

func parseRequest(t testing.TB, file string, section []byte) dialect.Request {
	t.Helper()
	head, body := cutMessage(section)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
	if err != nil {
		t.Fatalf("%s: request: %v", file, err)
	}
	return dialect.Request{Method: r.Method, URL: r.URL, Header: dialect.Header(r.Header), Body: body}
}

func parseAnswer(t testing.TB, file string, section []byte) dialect.Answer {
	t.Helper()
	if section == nil {
		return dialect.Answer{}
	}
	head, body := cutMessage(section)
	r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(head)), nil)
	if err != nil {
		t.Fatalf("%s: response: %v", file, err)
	}
	_, _ = io.Copy(io.Discard, r.Body)
	return dialect.Answer{Status: r.StatusCode, Header: dialect.Header(r.Header), Body: body}
}

func cutMessage(section []byte) (head string, body []byte) {
	h, b, _ := bytes.Cut(section, []byte("\n\n"))
	b = bytes.TrimSuffix(b, []byte("\n"))
	if len(b) == 0 {
		b = nil
	}
	return strings.ReplaceAll(string(h), "\n", "\r\n") + "\r\n\r\n", b
}

// policyFor is the built-in policy with the services of the case switched on, and its rules before the built-in ones.
func policyFor(t testing.TB, x exchange) *rules.Policy {
	t.Helper()
	c := rules.Config{Services: map[string]rules.Mode{}, Rules: x.rules}
	for name := range strings.FieldsSeq(x.services) {
		c.Services[name] = rules.Enforce
	}
	p, err := rules.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// judged is the decision on an answer, whatever the plan says of asking for it.
func judged(p *rules.Policy, r dialect.Request, a dialect.Answer) rules.Decision {
	plan := p.Plan(r, rules.From{})
	return p.Judge(&plan, a)
}

// decide plays one exchange: the plan and, where upstream is asked, the judgement.
func decide(p *rules.Policy, r dialect.Request, a dialect.Answer) (rules.Plan, rules.Decision) {
	plan := p.Plan(r, rules.From{})
	switch plan.Step {
	case rules.Scrub, rules.Forward:
		return plan, p.Judge(&plan, a)
	case rules.Watch:
		if d, ok := p.Sniff(&plan, a); ok {
			return plan, d
		}
		return rules.Plan{Step: rules.Ignore}, rules.Decision{}
	default:
		return plan, plan.Decision
	}
}

func TestCorpus(t *testing.T) {
	for _, x := range loadCorpus(t) {
		t.Run(x.name, func(t *testing.T) {
			plan, d := decide(policyFor(t, x), x.request, x.answer)
			got := map[string][]byte{"decision.json": describe(t, x, plan, d)}
			if d.Action > rules.ActionPass {
				got["answer"] = message(d.Answer)
			}
			if *update {
				rewrite(t, x, got)
				return
			}
			for _, section := range []string{"answer", "decision.json"} {
				if diff := cmp.Diff(string(x.want[section]), string(got[section])); diff != "" {
					t.Errorf("%s (-want +got):\n%s", section, diff)
				}
			}
		})
	}
}

// describe writes the decision the way a reviewer wants to read it.
func describe(t *testing.T, x exchange, plan rules.Plan, d rules.Decision) []byte {
	t.Helper()
	out := struct {
		Step, Action, Rule, Reason, ReservedBy, Dialect string
		Subjects                                        []string
		Credentials                                     rules.Credentials
		Asked                                           string            `json:",omitempty"`
		AskedHeader                                     map[string]string `json:",omitempty"`
		Suggestions                                     []string
		Err                                             string `json:",omitempty"`
	}{
		Step: plan.Step.String(), Action: d.Action.String(), Rule: d.Rule, Reason: d.Reason, ReservedBy: d.ReservedBy,
		Dialect: d.Dialect.String(), Subjects: d.Subjects, Credentials: d.Credentials,
	}
	if plan.Step == rules.Scrub {
		out.Asked, out.AskedHeader = x.request.URL.Path+"?"+plan.Query, map[string]string{}
		for name, values := range plan.Header {
			out.AskedHeader[name] = strings.Join(values, " | ")
		}
	}
	for _, s := range d.Suggestions {
		out.Suggestions = append(out.Suggestions, fmt.Sprintf("%s %s %s %s: %q → %q", s.Verdict, s.Kind, s.Protocol, s.Path, s.Was, s.Now))
	}
	if d.Err != nil {
		out.Err = d.Err.Error()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(out); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// message writes an answer as an HTTP message with bare newlines.
func message(a dialect.Answer) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\n", a.Status, http.StatusText(a.Status))
	names := make([]string, 0, len(a.Header))
	for name := range a.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range a.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", a.Body)
	return b.Bytes()
}

func rewrite(t *testing.T, x exchange, got map[string][]byte) {
	t.Helper()
	archive := &txtar.Archive{Comment: x.comment}
	for _, section := range known {
		data := x.want[section]
		if section == "answer" || section == "decision.json" {
			data = got[section]
		}
		if data != nil {
			archive.Files = append(archive.Files, txtar.File{Name: section, Data: data})
		}
	}
	file := filepath.Join("testdata/corpus", x.name+".txtar")
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCorpus_coversEveryDialect counts the cases: each dialect must show each outcome.
func TestCorpus_coversEveryDialect(t *testing.T) {
	count := map[string]map[string]int{}
	for _, x := range loadCorpus(t) {
		_, d := decide(policyFor(t, x), x.request, x.answer)
		outcome := outcome(d)
		name := d.Dialect.String()
		if count[name] == nil {
			count[name] = map[string]int{}
		}
		count[name][outcome]++
	}
	// What cannot happen: a pinned or signed document is never changed, DNS and identity answers have no place for a mail server, and what
	// cannot be read is not suspected.
	// The URLs of a JMAP session belong together.
	never := map[string]string{
		"pacc": "remove rewrite", "jmap": "rewrite", "doh": "remove rewrite answer", "suspected": "remove rewrite answer malformed", "identity": "rewrite answer",
	}
	for _, info := range dialect.All() {
		for _, outcome := range []string{"pass", "remove", "rewrite", "refuse", "answer", "malformed"} {
			if count[info.Name][outcome] == 0 && !slices.Contains(strings.Fields(never[info.Name]), outcome) {
				t.Errorf("dialect %s has no case whose outcome is %q", info.Name, outcome)
			}
		}
	}
}

// outcome tells the two ways to edit apart, and refusals of what cannot be read from others.
func outcome(d rules.Decision) string {
	switch {
	case d.Err != nil:
		return "malformed"
	case d.Action != rules.ActionEdit:
		return d.Action.String()
	case slices.ContainsFunc(d.Suggestions, func(s dialect.Suggestion) bool { return s.Verdict == dialect.Rewrite }):
		return "rewrite"
	}
	return "remove"
}
