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

// FuzzJudge_autodetect and FuzzJudge_pox throw answers at a guarded lab, where the answer is edited rather than refused at once, and ask
// every oracle.
func FuzzJudge_autodetect(f *testing.F) {
	r := question("https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect")
	r.Header["Authorization"] = []string{basic("user@lab.test:secret")}
	fuzzJudge(f, dialect.Autodetect, r)
}

func FuzzJudge_pox(f *testing.F) {
	r := question("https://autodiscover.lab.test/autodiscover/autodiscover.xml")
	r.Method = http.MethodPost
	r.Body = []byte("<Autodiscover><Request><EMailAddress>user@lab.test</EMailAddress></Request></Autodiscover>")
	fuzzJudge(f, dialect.POX, r)
}

func fuzzJudge(f *testing.F, id dialect.ID, r dialect.Request) {
	f.Helper()
	for _, x := range loadCorpus(f) {
		if q, ok := dialect.Recognise(x.request); ok && q.Dialect == id && x.answer.Status != 0 {
			f.Add(x.answer.Status, x.answer.Header.Get("Content-Type"), x.answer.Header.Get("Location"), x.answer.Body)
		}
	}
	p, err := rules.New(rules.Config{})
	if err != nil {
		f.Fatal(err)
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
