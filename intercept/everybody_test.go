package intercept_test

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/elazarl/goproxy"
	"golang.org/x/tools/txtar"

	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// sample is an exchange of the corpus of package rules, about somebody whom nobody guards.
type sample struct {
	name    string
	request *http.Request
	asked   string // the request's body
	answer  *http.Response
	said    string // the answer's body
}

var (
	// whoever is in the corpus has an account at opened.net here.
	renamed = strings.NewReplacer("lab.test", "opened.net", "example.com", "opened.net", "example.net", "opened.net", "example.org", "opened.net",
		"corp.net", "opened.net", "shop.com", "opened.net", "hoster.net", "opened.net")
	// stillReserved is what no replacement has made somebody's; and base64 says who it is about where nobody sees it.
	stillReserved = regexp.MustCompile(`(?i)[.@=/](test|invalid|local|internal|arpa)\b|xample|xn--|x-debug-support|x-feedback-token|dns=`)
)

// samples are the cases that can be asked at an opened host.
func samples(t *testing.T, policy *rules.Policy) []sample {
	t.Helper()
	files, err := filepath.Glob("../rules/testdata/corpus/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	var all []sample
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := sample{name: filepath.ToSlash(strings.TrimPrefix(file, "../rules/testdata/corpus/"))}
		for _, section := range archive.Files {
			text := renamed.Replace(string(section.Data))
			head, body, _ := strings.Cut(text, "\n\n")
			message := bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n"))
			switch section.Name {
			case "request":
				s.request, err = http.ReadRequest(message)
				s.asked = strings.TrimSuffix(body, "\n")
			case "response":
				s.answer, err = http.ReadResponse(message, nil)
				s.said = strings.TrimSuffix(body, "\n")
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if stillReserved.MatchString(text) && (section.Name == "request" || section.Name == "response") {
				s.request = nil
				break
			}
		}
		if s.request != nil && s.answer != nil && policy.Opens(s.request.URL.Hostname()) {
			s.request.Header.Del("Authorization") // of somebody in base64
			all = append(all, s)
		}
	}
	return all
}

// write sends the sample's answer.
func (s sample) write(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Type"] = nil
	maps.Copy(h, s.answer.Header)
	h.Set("Date", "Mon, 08 Dec 2025 21:32:58 GMT")
	h.Set("Content-Length", strconv.Itoa(len(s.said)))
	w.WriteHeader(s.answer.StatusCode)
	_, _ = w.Write([]byte(s.said))
}

// TestPass_everyDialect: whoever is not guarded gets every answer of every dialect as it is, through every door.
func TestPass_everyDialect(t *testing.T) {
	t.Parallel()
	c := rules.Config{Services: map[string]rules.Mode{}, Open: []string{"opened.net"}}
	for _, name := range rules.ServiceNames() {
		c.Services[name] = rules.Enforce
	}
	policy, err := rules.New(c)
	if err != nil {
		t.Fatal(err)
	}
	all := samples(t, policy)
	seen := map[dialect.ID]bool{}
	for _, door := range doors {
		w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.Header.Get("X-Sample"))
			all[n].write(w)
		}, func(c *intercept.Config, _ *goproxy.ProxyHttpServer, w *world) {
			c.Policy = policy
			for _, s := range all {
				c.Upstream.Resolve[s.request.URL.Hostname()+":443"] = w.secure.Listener.Addr().String()
				c.Upstream.Resolve[s.request.URL.Hostname()+":80"] = w.plain.Listener.Addr().String()
			}
		})
		client, direct := door.client(w), w.direct(door.name == "connect-h2")
		for n, s := range all {
			ask := func() *http.Request {
				u := *s.request.URL
				u.Scheme = door.scheme
				r := request(t, s.request.Method, u.String(), s.asked)
				r.Header = s.request.Header.Clone()
				r.Header.Set("X-Sample", fmt.Sprint(n))
				return r
			}
			want, got := send(t, direct, ask()), send(t, client, ask())
			compare(t, door.name+": "+s.name, got, want)
			q, _ := dialect.Recognise(dialect.Request{Method: s.request.Method, URL: s.request.URL, Header: dialect.Header(s.request.Header), Body: bytes.Clone([]byte(s.asked))})
			seen[q.Dialect] = true
		}
	}
	for _, info := range dialect.All() {
		if !seen[info.ID] && info.ID != dialect.Suspected { // which no request speaks
			t.Errorf("no sample of %s in %d", info.Name, len(all))
		}
	}
}
