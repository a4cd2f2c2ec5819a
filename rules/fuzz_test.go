package rules_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

func basic(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

// question is a GET of rawURL without header fields.
func question(rawURL string) dialect.Request {
	u, err := url.Parse(rawURL)
	if err != nil {
		panic(err) // a constant of the test is wrong
	}
	return dialect.Request{Method: http.MethodGet, URL: u, Header: dialect.Header{}}
}

// The FuzzJudge targets, one per dialect, throw answers at a guarded lab, where they are edited rather than refused at once, and ask every
// oracle. The question is the first of the dialect's corpus that is about a lab and goes upstream.

func FuzzJudge_autodetect(f *testing.F)   { fuzzJudge(f, dialect.Autodetect) }
func FuzzJudge_soap(f *testing.F)         { fuzzJudge(f, dialect.SOAP) }
func FuzzJudge_v2(f *testing.F)           { fuzzJudge(f, dialect.V2) }
func FuzzJudge_mobilesync(f *testing.F)   { fuzzJudge(f, dialect.MobileSync) }
func FuzzJudge_pox(f *testing.F)          { fuzzJudge(f, dialect.POX) }
func FuzzJudge_autoconfig(f *testing.F)   { fuzzJudge(f, dialect.Autoconfig) }
func FuzzJudge_ispdb(f *testing.F)        { fuzzJudge(f, dialect.ISPDB) }
func FuzzJudge_pacc(f *testing.F)         { fuzzJudge(f, dialect.PACC) }
func FuzzJudge_mobileconfig(f *testing.F) { fuzzJudge(f, dialect.MobileConfig) }
func FuzzJudge_jmap(f *testing.F)         { fuzzJudge(f, dialect.JMAP) }
func FuzzJudge_dav(f *testing.F)          { fuzzJudge(f, dialect.DAV) }
func FuzzJudge_doh(f *testing.F)          { fuzzJudge(f, dialect.DoH) }
func FuzzJudge_identity(f *testing.F)     { fuzzJudge(f, dialect.Identity) }

func fuzzJudge(f *testing.F, id dialect.ID) {
	f.Helper()
	p := allServices(f)
	var r dialect.Request
	for _, x := range loadCorpus(f) {
		q, ok := dialect.Recognise(x.request)
		if !ok || q.Dialect != id || x.answer.Status == 0 {
			continue
		}
		f.Add(x.answer.Status, x.answer.Header.Get("Content-Type"), x.answer.Header.Get("Location"), x.answer.Body)
		if plan := p.Plan(x.request, rules.From{}); r.URL == nil && plan.Decision.Rule == "private-use" && plan.Step != rules.Refuse {
			r = x.request
		}
	}
	if r.URL == nil {
		f.Fatalf("the corpus has no lab's question in %v", id)
	}
	f.Fuzz(func(t *testing.T, status int, contentType, location string, body []byte) {
		a := dialect.Answer{Status: status, Header: dialect.Header{"Content-Type": {contentType}}, Body: body}
		if location != "" {
			a.Header["Location"] = []string{location}
		}
		if err := oracles(p, r, a); err != nil {
			t.Error(err)
		}
	})
}

// FuzzPlan throws requests at the policy: whatever a client sends, secrets stay where they belong.
func FuzzPlan(f *testing.F) {
	for _, x := range loadCorpus(f) {
		f.Add(x.request.Method, x.request.URL.String(), x.request.Header.Get("Authorization"), x.request.Header.Get("X-Email"), x.request.Body)
	}
	p, err := rules.New(rules.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, rawURL, authorization, email string, body []byte) {
		u, err := url.Parse(rawURL)
		if err != nil || u.Host == "" {
			t.Skip()
		}
		r := dialect.Request{Method: method, URL: u, Header: dialect.Header{"Authorization": {authorization}, "X-Email": {email}}, Body: body}
		if err := oracles(p, r, dialect.Answer{Status: http.StatusOK}); err != nil {
			t.Error(err)
		}
	})
}
