package rules_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// sample is one exchange of the corpus that lies beside the project. Its files keep their own licences: they are read in place.
type sample struct {
	name           string
	request        dialect.Request
	answer         dialect.Answer
	subject        string
	suggestions    []sampleSuggestion
	answerIsParsed bool
}

type sampleSuggestion struct {
	Path, Kind string
	Value      any
}

// loadShared reads the samples that folders of the shared corpus hold, or skips the test where the corpus is not there.
func loadShared(t testing.TB) []sample {
	t.Helper()
	files, _ := filepath.Glob("../../shared/corpus/*/*.meta.json")
	if len(files) == 0 {
		t.Skip("the shared corpus is not beside the project")
	}
	var all []sample
	for _, file := range files {
		if s, ok := loadSample(t, file); ok {
			all = append(all, s)
		}
	}
	return all
}

func loadSample(t testing.TB, file string) (sample, bool) {
	t.Helper()
	var meta struct {
		URL             string            `json:"request_url"`
		Method          string            `json:"method"`
		RequestHeaders  map[string]string `json:"request_headers"`
		RequestBody     string            `json:"request_body_file"`
		Status          int               `json:"status"`
		ContentType     string            `json:"content_type"`
		ResponseHeaders map[string]string `json:"response_headers"`
		Subject         string            `json:"subject_domain"`
		Suggestions     []sampleSuggestion
		WellFormed      *bool `json:"wellformed"`
	}
	read(t, file, &meta)
	if meta.URL == "" { // the proposals for native answers
		return sample{}, false
	}
	u, err := url.Parse(meta.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := sample{name: strings.TrimSuffix(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), ".meta.json"), subject: meta.Subject}
	s.request = dialect.Request{Method: meta.Method, URL: u, Header: header(meta.RequestHeaders)}
	if meta.RequestBody != "" {
		s.request.Body = slurp(t, filepath.Join(filepath.Dir(file), meta.RequestBody))
	}
	s.answer = dialect.Answer{Status: meta.Status, Header: header(meta.ResponseHeaders), Body: slurp(t, strings.TrimSuffix(file, ".meta.json"))}
	if meta.ContentType != "" {
		s.answer.Header["Content-Type"] = []string{meta.ContentType}
	}
	s.suggestions, s.answerIsParsed = meta.Suggestions, meta.WellFormed == nil || *meta.WellFormed
	return s, true
}

func read(t testing.TB, file string, into any) {
	t.Helper()
	if err := json.Unmarshal(slurp(t, file), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func slurp(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func header(m map[string]string) dialect.Header {
	h := http.Header{}
	for name, value := range m {
		h.Set(name, value)
	}
	return dialect.Header(h)
}

// allServices is the built-in policy with every central service and every reserved set switched on.
func allServices(t testing.TB, operator ...rules.Rule) *rules.Policy {
	t.Helper()
	set, err := reserved.New("ietf", "icann", "idn-test", "vendor-documentation")
	if err != nil {
		t.Fatal(err)
	}
	c := rules.Config{Reserved: set, Services: map[string]rules.Mode{}, Rules: operator}
	for _, name := range rules.ServiceNames() {
		c.Services[name] = rules.Enforce
	}
	p, err := rules.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestShared_findsEverySuggestion checks recall: whatever the corpus lists as a suggestion of a readable answer, the reader lists too.
func TestShared_findsEverySuggestion(t *testing.T) {
	for _, s := range loadShared(t) {
		q, ok := dialect.Recognise(s.request)
		if !ok {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			doc, err := dialect.Read(q, s.answer)
			if errors.Is(err, dialect.ErrUnreadable) {
				t.Logf("refused as a whole where guarded: %v", err)
				return
			}
			found := map[string]bool{}
			for _, g := range doc.Suggestions {
				found[place(g.Path)+" "+g.Kind.String()+" "+g.Was] = true
			}
			for _, want := range s.suggestions {
				value, _ := want.Value.(string)
				if n, ok := want.Value.(float64); ok {
					b, _ := json.Marshal(n)
					value = string(b)
				}
				if !found[place(want.Path)+" "+want.Kind+" "+strings.TrimSpace(value)] {
					t.Errorf("not found: %s %s %q", want.Path, want.Kind, value)
				}
			}
			if t.Failed() {
				for f := range found {
					t.Log("found", f)
				}
			}
		})
	}
}

// place writes the names of header fields alike.
func place(path string) string {
	if strings.HasPrefix(path, "header:") && !strings.Contains(path, "|") {
		return strings.ToLower(path)
	}
	return path
}

// TestShared_noSuggestionSurvives checks the promise itself, asked at the host of the sample and at a central service.
func TestShared_noSuggestionSurvives(t *testing.T) {
	p := allServices(t)
	for _, s := range loadShared(t) {
		if _, ok := p.Plan(s.request, rules.From{}).Inquiry, p.Plan(s.request, rules.From{}).Guarded; !ok {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			_, d := decide(p, s.request, s.answer)
			noSuggestion(t, s, d)
			central := s.request
			u := *central.URL
			u.Host = "autodiscover-s.outlook.com"
			central.URL = &u
			if plan := p.Plan(central, rules.From{}); plan.Guarded {
				noSuggestion(t, s, p.Judge(&plan, s.answer))
			}
		})
	}
}

// noSuggestion fails if an answer still has any value of the sample whose host is foreign to its subject.
func noSuggestion(t *testing.T, s sample, d rules.Decision) {
	t.Helper()
	out := string(d.Answer.Body)
	if d.Action == rules.ActionPass {
		out = string(s.answer.Body)
	}
	if d.Action != rules.ActionPass && d.Action != rules.ActionEdit && d.Action != rules.ActionRefuse {
		t.Errorf("action %v", d.Action)
	}
	for _, listed := range s.suggestions {
		value, ok := listed.Value.(string)
		if d.Rule == "private-use" && (listed.Kind == "port" || value == "localhost") {
			continue // stays with a server of the lab's own
		}
		if !ok || strings.Contains(value, s.subject) {
			continue
		}
		if strings.Contains(out, value) {
			t.Errorf("%s survives: %q (%v: %s)", listed.Path, value, d.Action, d.Reason)
		}
	}
}

// TestShared_notGuardedIsUntouched asks about the same samples under a policy that guards none of their domains.
func TestShared_notGuardedIsUntouched(t *testing.T) {
	p := unguarded(t)
	for _, s := range loadShared(t) {
		plan, d := decide(p, s.request, s.answer)
		if plan.Step == rules.Ignore || plan.Decision.Rule != "" {
			continue
		}
		if d.Action != rules.ActionPass || plan.Step != rules.Forward || plan.Header != nil {
			t.Errorf("%s: %v, %v: %s", s.name, plan.Step, d.Action, d.Reason)
		}
	}
}

// unguarded is a policy under which no domain of the corpora is guarded.
func unguarded(t testing.TB) *rules.Policy {
	t.Helper()
	set, err := reserved.New("informal-private")
	if err != nil {
		t.Fatal(err)
	}
	p, err := rules.New(rules.Config{Reserved: set})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
