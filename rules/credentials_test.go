package rules_test

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"testing"

	"autodiscover-guard/rules"
)

// TestPlan_credentials: a record says in one word by what a client has shown a secret, and never in a word of the client's.
func TestPlan_credentials(t *testing.T) {
	for name, c := range map[string]struct {
		authorization, cookie, query string
		user                         *url.Userinfo
		want                         string
	}{
		"none":                     {},
		"an address":               {authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte("user@example.com"))}, // AutoDetect's form
		"a log-in":                 {authorization: basic("user@example.com:secret"), want: "basic"},
		"a user and no address":    {authorization: basic("secret"), want: "basic"},
		"a log-in, and no address": {authorization: basic("user:secret"), want: "basic"},
		"a bare password":          {authorization: "hunter2", want: "other"},
		"a scheme's case":          {authorization: "NEGOTIATE abc", want: "negotiate"},
		"a cookie":                 {cookie: "a=b", want: "cookie"},
		"a URL":                    {user: url.UserPassword("user", "secret"), want: "userinfo"},
		"a URL's user alone":       {user: url.User("user")},
		"a parameter":              {query: "app=outlook;password=secret", want: "query"},
		"what is asked for":        {query: "app=outlook&Email=user%40example.com"},
	} {
		r := detectQuestion("example.com")
		r.URL.User, r.URL.RawQuery = c.user, c.query
		if c.authorization != "" {
			r.Header["Authorization"] = []string{c.authorization}
		}
		if c.cookie != "" {
			r.Header["Cookie"] = []string{c.cookie}
		}
		plan := builtin(t).Plan(r, rules.From{})
		if got, want := plan.Decision.Credentials, (rules.Credentials{Present: c.want != "", Scheme: c.want}); got != want || plan.Step != rules.Scrub {
			t.Errorf("%s: %+v, %v; want %+v", name, got, plan.Step, want)
		}
	}
}

// TestPlan_scrubbedUser: of what Basic holds a mail address stays and nothing else: without a colon the user may be a password.
func TestPlan_scrubbedUser(t *testing.T) {
	for shown, want := range map[string]string{
		"user@example.com": "user@example.com:", "user@example.com:secret": "user@example.com:", "user@example.com:": "user@example.com:",
		"secret": "", "user:secret": "", "@secret": "", "secret@": "", "pass word@secret": "", "p@ss@secret": "", `CORP\user:secret`: "", "a@b\tc": "", "a@b\rc": "", "a@b\nc": "",
	} {
		r := detectQuestion("example.com")
		r.Header["Authorization"] = []string{basic(shown)}
		if want != "" {
			want = basic(want)
		}
		if plan := builtin(t).Plan(r, rules.From{}); plan.Step != rules.Scrub || plan.Header.Get("Authorization") != want {
			t.Errorf("%q: %v, asked with %q, want %q", shown, plan.Step, plan.Header.Get("Authorization"), want)
		}
	}
}

// TestPlan_scrubbed: what a central service needs for the answer that the client would get goes there, and nothing else.
func TestPlan_scrubbed(t *testing.T) {
	fields := []string{"Accept", "Accept-Language", "Content-Type", "Soapaction", "User-Agent", "X-Anchormailbox", "X-Clientcanhandle", "X-Email", "X-Mapihttpcapability", "X-User-Identity"}
	const query = "api-version=1&app=1&cd=1&ct=1&dns=1&do=1&domain=example.com&email=user%40example.com&EmailAddress=user%40example.com&hm=1&json=1&login=1&name=1&protocol=1&" +
		"protocols=1&redirectcount=1&serverlocation=1&services=1&timeout=1&type=1&username=1&version=1&xml=1"
	r := detectQuestion("example.com")
	for _, name := range slices.Concat(fields, []string{"Cookie", "Proxy-Authorization", "X-Access-Token", "Referer", "Forwarded", "If-None-Match"}) {
		r.Header[name] = []string{"user@example.com"}
	}
	r.URL.RawQuery = "token=1&" + query + "&password=1&emailaddres=1&=1"
	plan := builtin(t).Plan(r, rules.From{})
	if got, want := slices.Sorted(maps.Keys(plan.Header)), append([]string{"Accept", "Accept-Encoding"}, fields[1:]...); plan.Step != rules.Scrub || !slices.Equal(got, want) || plan.Header.Get("Accept-Encoding") != "identity" {
		t.Errorf("%v, asked with %v", plan.Step, plan.Header)
	}
	if plan.Query != query {
		t.Errorf("asked for %s", plan.Query)
	}
}

// TestPlan_wholeAnswer: a host in the set is asked for all of what it says, in clear, and not whether something has changed since.
func TestPlan_wholeAnswer(t *testing.T) {
	r := poxQuestion("lab.test")
	r.Header["Authorization"], r.Header["Accept-Encoding"] = []string{basic("user@lab.test:secret")}, []string{"br"}
	partly := []string{"Range", "If-Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "Te", "A-Im"}
	for _, name := range partly {
		r.Header[name] = []string{"x"}
	}
	plan := builtin(t).Plan(r, rules.From{})
	if plan.Step != rules.Forward || plan.Header.Get("Authorization") == "" || plan.Header.Get("Accept-Encoding") != "identity" {
		t.Errorf("%v: %v", plan.Step, plan.Header)
	}
	for _, name := range partly {
		if _, sent := plan.Header[name]; sent {
			t.Errorf("%s is sent", name)
		}
		if _, kept := r.Header[name]; !kept {
			t.Errorf("%s is taken from the client's own request", name)
		}
	}
}
