package dialect

import (
	"errors"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ask is a request for a raw URL.
func ask(t *testing.T, method, raw, body string) Request {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return Request{Method: method, URL: u, Header: Header{}, Body: []byte(body)}
}

// recognised checks which dialect claims each request and which domains are seen in it.
func recognised(t *testing.T, id ID, method string, want map[string][]string) {
	t.Helper()
	for raw, domains := range want {
		q, ok := Recognise(ask(t, method, raw, ""))
		if (ok && q.Dialect == id) != (domains != nil) {
			t.Errorf("%s: claimed by %v", raw, q.Dialect)
			continue
		}
		var got []string
		for _, s := range q.Subjects {
			got = append(got, s.Domain)
		}
		if domains != nil && !cmp.Equal(got, domains) {
			t.Errorf("%s: about %v, want %v", raw, got, domains)
		}
	}
}

// judge gives every suggestion of a document the verdict that verdicts has for its path, else Keep.
func judge(d *Document, verdicts map[string]Suggestion) []Suggestion {
	judged := append([]Suggestion(nil), d.Suggestions...)
	for i := range judged {
		judged[i].Verdict, judged[i].Now = Keep, judged[i].Was
		if v, ok := verdicts[judged[i].Path]; ok {
			judged[i].Verdict, judged[i].Now = v.Verdict, v.Now
		}
	}
	return judged
}

// edited reads an answer and writes it with the verdicts applied.
func edited(t *testing.T, q Inquiry, contentType, body string, verdicts map[string]Suggestion) (string, error) {
	t.Helper()
	d, err := Read(q, Answer{Status: 200, Header: Header{"Content-Type": {contentType}}, Body: []byte(body)})
	if err != nil {
		t.Fatalf("reading %s: %v", body, err)
	}
	a, err := d.Edit(judge(d, verdicts))
	return string(a.Body), err
}

func TestV2_recognise(t *testing.T) {
	const base = "https://autodiscover.lab.test/autodiscover/autodiscover.json"
	for _, method := range []string{"GET", "HEAD", "POST"} {
		recognised(t, V2, method, map[string][]string{
			base:                                 {"lab.test"},
			base + "/":                           {"lab.test"},
			base + "?Email=user%40example.com":   {"lab.test", "example.com"},
			base + "?EMAIL=user%2540example.com": {"lab.test", "example.com"},
			base + "/v1.0/user@example.com":      {"lab.test", "example.com"},
			base + "/v1.0/user%40example.com":    {"lab.test", "example.com"},
			base + "/v1.0/user%2540example.com/": {"lab.test", "example.com"},
			base + "/v1.0/a;b@example.com":       {"lab.test", "example.com"},
			base + "/v2/x":                       {"lab.test"},
			"https://hoster.net/AutoDiscover//AUTODISCOVER.JSON/V1.0.1/User@Example.COM": {"hoster.net", "example.com"},
			"https://hoster.net/autodiscover/%61utodiscover.json/v1.0/u@example.com":     {"hoster.net", "example.com"},
			base + "/v1.0.":     nil,
			base + "/v":         nil,
			base + "/vx/y":      nil,
			base + "/v1..0/y":   nil,
			base + "/x":         nil,
			base + "x":          nil,
			"https://lab.test/": nil,
		})
	}
}

func TestV2_edit(t *testing.T) {
	q := Inquiry{Dialect: V2}
	const body = `{"Protocol":"Ews","Url":"https://a.test/EWS","More":{"Links":["https://b.test/","x"]}}`
	got, err := edited(t, q, "application/json", body, map[string]Suggestion{
		"/Url": {Verdict: Rewrite, Now: "https://c.test/EWS"}, "/More/Links/0": {Verdict: Remove},
	})
	if want := `{"Protocol":"Ews","Url":"https://c.test/EWS","More":{"Links":["x"]}}`; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if got, err := edited(t, q, "application/json", body, map[string]Suggestion{"/Url": {Verdict: Remove}}); !errors.Is(err, ErrNothingLeft) {
		t.Errorf("without Url: %s, %v", got, err)
	}
}

func TestV2_refuse(t *testing.T) {
	for method, want := range map[string]Answer{
		"GET": {
			Status: 404, Header: Header{"Content-Type": {"application/json; charset=utf-8"}, "Cache-Control": {"no-store"}},
			Body: []byte(`{"ErrorCode":"UserNotFound","ErrorMessage":"The given user is not found"}`),
		},
		"HEAD": {Status: 404, Header: Header{"Content-Type": {"application/json; charset=utf-8"}, "Cache-Control": {"no-store"}}},
		"POST": {Status: 404, Header: Header{"Cache-Control": {"no-store"}}},
	} {
		if diff := cmp.Diff(want, Refuse(Inquiry{Dialect: V2, Request: Request{Method: method}})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", method, diff)
		}
	}
}

func TestV2_compose(t *testing.T) {
	for protocol, want := range map[string]string{
		"Protocol=ActiveSync":     `{"Protocol":"ActiveSync","Url":"https://eas.lab.test/Microsoft-Server-ActiveSync"}`,
		"a=b&pROTOCOL=ews":        `{"Protocol":"Ews","Url":"https://ews.lab.test/EWS/Exchange.asmx"}`,
		"Protocol=Autodiscoverv1": `{"Protocol":"AutodiscoverV1","Url":"https://autodiscover.lab.test/autodiscover/autodiscover.xml"}`,
		"Protocol=Rest":           "",
		"":                        "",
	} {
		q := Inquiry{Dialect: V2, Request: ask(t, "GET", "https://lab.test/autodiscover/autodiscover.json?"+protocol, "")}
		a, err := Compose(q, labSettings)
		if string(a.Body) != want || (want == "") != errors.Is(err, ErrCannotCarry) {
			t.Errorf("%q: %s, %v", protocol, a.Body, err)
		}
		if want == "" {
			continue
		}
		if d, err := Read(q, a); err != nil || !d.Plain || len(d.Suggestions) != 1 {
			t.Errorf("%q read back: %+v, %v", protocol, d, err)
		}
	}
}

func TestPageLinks(t *testing.T) {
	for body, want := range map[string][]string{
		`<a href="https://a.net/?x=1&amp;y=2">`:              {"https://a.net/?x=1&y=2"},
		`<A HREF = 'https://a.net'>b</A><a href=//b.net/ x>`: {"https://a.net", "//b.net/"},
		`<a href="/here">`:       nil,
		`<a href`:                nil,
		`<a href="https://a.net`: {"https://a.net"},
		`href of nothing, <base href="https://a.net/" href=>`: {"https://a.net/"},
	} {
		var got []string
		for _, s := range pageLinks(Answer{Status: 302, Header: Header{"Content-Type": {"text/html"}}, Body: []byte(body)}) {
			got = append(got, s.Was)
		}
		if !cmp.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
	if got := pageLinks(Answer{Status: 200, Body: []byte(`<a href="https://a.net">`)}); got != nil {
		t.Errorf("a page that is no redirect: %v", got)
	}
}
