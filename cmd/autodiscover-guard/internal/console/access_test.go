package console_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

const rightToken = "0123456789abcdef0123456789abcdef"

// gated is a console that wants a token, and takes a certificate in its place where it is told so.
func gated(t *testing.T, certificates bool) (http.Handler, *console.Access, *metrics.Set) {
	t.Helper()
	a, err := certs.Open(t.TempDir(), certs.Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	set := metrics.NewSet()
	access := console.NewAccess(token(t, rightToken), certificates, set)
	return console.New(console.Config{
		Status: func() console.Status {
			return console.Status{Ready: true, Policy: "0123", Authority: a.Fingerprint()}
		},
		Root: a.Root, Metrics: set, PAC: func() []byte { return []byte("pac") }, Proxy: companion.Proxy{Host: "127.0.0.1", Port: "8080"},
		Recent: console.NewRing(), Health: func() console.Health { return console.Health{} }, Pprof: true, Access: access, Names: []string{"gateway.lab.test"},
	}), access, set
}

func token(t *testing.T, text string) console.Token {
	t.Helper()
	token, err := console.ParseToken([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

type change func(*http.Request)

func with(name, value string) change { return func(r *http.Request) { r.Header.Set(name, value) } }

func from(address string) change { return func(r *http.Request) { r.RemoteAddr = address } }

func request(t *testing.T, h http.Handler, method, path, body string, changes ...change) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:8081"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, change := range changes {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// signIn sends the form and returns the answer with what its cookie holds.
func signIn(t *testing.T, h http.Handler, text string, changes ...change) (*httptest.ResponseRecorder, *http.Cookie) {
	t.Helper()
	w := request(t, h, "POST", "/sign-in", url.Values{"token": {text}}.Encode(), changes...)
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		return w, &http.Cookie{}
	}
	return w, cookies[0]
}

func TestAccess_who_sees_what(t *testing.T) {
	h, _, _ := gated(t, false)
	_, cookie := signIn(t, h, rightToken)
	proofs := map[string][]change{
		"nothing":             nil,
		"the token":           {with("Authorization", "Bearer "+rightToken)},
		"the scheme's case":   {with("Authorization", "bearer "+rightToken)},
		"a wrong token":       {with("Authorization", "Bearer "+strings.ToUpper(rightToken)), from("192.0.2.7:1")},
		"no token":            {with("Authorization", "Bearer "), from("192.0.2.8:1")},
		"another scheme":      {with("Authorization", "Basic "+rightToken)},
		"a cookie":            {with("Cookie", cookie.Name+"="+cookie.Value)},
		"the token in it":     {with("Cookie", cookie.Name+"="+rightToken)},
		"TLS's cookie":        {with("Cookie", "__Host-"+cookie.Name+"="+cookie.Value)},
		"somebody's":          {func(r *http.Request) { r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{}}}} }},
		"the token, in a URL": {func(r *http.Request) { r.URL.RawQuery = "token=" + rightToken }},
	}
	admitted := map[string]bool{"the token": true, "the scheme's case": true, "a cookie": true}
	for name, proof := range proofs {
		for path, public := range map[string]bool{
			"/": false, "/metrics": false, "/decisions.json": false, "/debug/pprof/goroutine": false,
			"/livez": true, "/readyz": true, "/proxy.pac": true, "/wpad.dat": true, "/ca.pem": true, "/ca.cer": true, "/ca.mobileconfig": true, "/setup": true, "/sign-in": true,
		} {
			want := 401
			if public || admitted[name] {
				want = 200
			}
			w := request(t, h, "GET", path, "", proof...)
			if w.Code != want && !(want == 401 && w.Code == 429) {
				t.Errorf("%s, %s: %d, want %d", name, path, w.Code, want)
			}
			challenge := map[bool]string{false: `Bearer realm="autodiscover-guard"`, true: `Bearer realm="autodiscover-guard", error="invalid_token"`}[name == "a wrong token" || name == "no token"]
			if w.Code == 401 && w.Header().Get("WWW-Authenticate") != challenge {
				t.Errorf("%s, %s: the challenge is %q", name, path, w.Header().Get("WWW-Authenticate"))
			}
			if path == "/readyz" && !strings.Contains(w.Body.String(), `"ready": true`) {
				t.Errorf("%s: ready is %s", name, w.Body)
			}
			if path == "/readyz" && strings.Contains(w.Body.String(), "policy") != admitted[name] {
				t.Errorf("%s: the state is %s", name, w.Body)
			}
			if strings.Contains(fmt.Sprint(w.Header(), w.Body), rightToken) {
				t.Errorf("%s, %s: the token is in the answer", name, path)
			}
		}
	}
}

func TestAccess_certificate(t *testing.T) {
	h, _, _ := gated(t, true)
	verified := func(r *http.Request) { r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{}}}} }
	unverified := func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}} }
	for name, c := range map[string]struct {
		change change
		want   int
	}{"verified": {verified, 200}, "not verified": {unverified, 401}, "the token": {with("Authorization", "Bearer "+rightToken), 200}} {
		if w := request(t, h, "GET", "/metrics", "", c.change); w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
	}
	alone := console.New(console.Config{Access: console.NewAccess(console.Token{}, true, metrics.NewSet()), Status: func() console.Status { return console.Status{} }})
	for name, want := range map[string]int{"/metrics": 403, "/sign-in": 404} {
		if w := request(t, alone, "GET", name, "", with("Accept", "text/html"), with("Authorization", "Bearer ")); w.Code != want {
			t.Errorf("certificates alone, %s: %d, want %d", name, w.Code, want)
		}
	}
}

func TestAccess_sign_in(t *testing.T) {
	h, access, _ := gated(t, false)
	w := request(t, h, "GET", "/", "", with("Accept", "text/html,*/*"))
	if w.Code != 401 || !strings.Contains(w.Body.String(), `action="/sign-in"`) || !strings.Contains(w.Header().Get("Content-Security-Policy"), "form-action 'self'") {
		t.Errorf("a browser gets %d %s", w.Code, w.Body)
	}
	if w := request(t, h, "GET", "/metrics", "", with("Accept", "*/*")); w.Code != 401 || strings.Contains(w.Body.String(), "<") {
		t.Errorf("a program gets %d %s", w.Code, w.Body)
	}
	if w := request(t, h, "HEAD", "/", "", with("Accept", "text/html")); w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("a program that asks for no form gets %d %v", w.Code, w.Header())
	}
	if w, _ := signIn(t, h, "wrong", from("192.0.2.1:1")); w.Code != 401 || !strings.Contains(w.Body.String(), "not the token") {
		t.Errorf("a wrong token: %d %s", w.Code, w.Body)
	}
	if w := request(t, h, "POST", "/sign-in", "token="+strings.Repeat("x", 1<<20), from("192.0.2.1:1")); w.Code != 401 {
		t.Errorf("a large form: %d", w.Code)
	}
	if w, _ := signIn(t, h, rightToken, with("Origin", "http://stranger.net")); w.Code != 403 {
		t.Errorf("another origin's form: %d", w.Code)
	}
	if w, _ := signIn(t, h, rightToken, with("Sec-Fetch-Site", "cross-site")); w.Code != 403 {
		t.Errorf("another site's form: %d", w.Code)
	}
	w, cookie := signIn(t, h, " "+rightToken+"\n")
	if w.Code != 303 || w.Header().Get("Location") != "/" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure || strings.HasPrefix(cookie.Name, "__Host-") || cookie.MaxAge <= 0 ||
		strings.Contains(cookie.Value, rightToken) {
		t.Errorf("signed in: %d %v", w.Code, w.Header())
	}
	w, secure := signIn(t, h, rightToken, func(r *http.Request) { r.TLS = &tls.ConnectionState{} })
	if !secure.Secure || !strings.HasPrefix(secure.Name, "__Host-") || secure.Value == cookie.Value {
		t.Errorf("over TLS: %v", w.Header())
	}
	mine := with("Cookie", cookie.Name+"="+cookie.Value)
	if w := request(t, h, "GET", "/", "", mine); w.Code != 200 || !strings.Contains(w.Body.String(), `action="/sign-out"`) {
		t.Errorf("the page: %d", w.Code)
	}
	if w := request(t, h, "POST", "/sign-out", "", mine, with("Sec-Fetch-Site", "cross-site")); w.Code != 403 {
		t.Errorf("another site signs out: %d", w.Code)
	}
	if w := request(t, h, "POST", "/sign-out", "", mine); w.Code != 303 || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("sign-out: %d %v", w.Code, w.Header())
	}
	if w := request(t, h, "GET", "/metrics", "", mine); w.Code != 401 {
		t.Errorf("after it: %d", w.Code)
	}
	if w := request(t, h, "POST", "/sign-out", "", mine); w.Code != 303 {
		t.Errorf("sign-out, again: %d", w.Code)
	}
	_, former := signIn(t, h, rightToken)
	mine = with("Cookie", former.Name+"="+former.Value)
	_, cookie = signIn(t, h, rightToken, mine)
	if w := request(t, h, "GET", "/metrics", "", mine); w.Code != 401 {
		t.Errorf("the session before a new sign-in: %d", w.Code)
	}
	mine = with("Cookie", cookie.Name+"="+cookie.Value)
	access.Renew(token(t, rightToken))
	if w := request(t, h, "GET", "/metrics", "", mine); w.Code != 200 {
		t.Errorf("the same token again: %d", w.Code)
	}
	access.Renew(token(t, strings.ToUpper(rightToken)))
	if w := request(t, h, "GET", "/metrics", "", mine); w.Code != 401 {
		t.Errorf("another token: %d", w.Code)
	}
}

// during bounds a request that may go on for ever.
func during(ctx context.Context) change {
	return func(r *http.Request) { *r = *r.WithContext(ctx) }
}

// A session ends by itself, is one of a bounded number, and takes along what it has begun.
func TestAccess_life_of_a_session(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, _ := gated(t, false)
		first, last := "", ""
		for range 65 {
			_, cookie := signIn(t, h, rightToken)
			if last = cookie.Name + "=" + cookie.Value; first == "" {
				first = last
			}
			time.Sleep(time.Second)
		}
		if w := request(t, h, "GET", "/metrics", "", with("Cookie", first)); w.Code != 401 {
			t.Errorf("the oldest of too many: %d", w.Code)
		}
		days, cancel := context.WithTimeout(t.Context(), 48*time.Hour)
		defer cancel()
		done := make(chan time.Time, 1)
		go func() {
			request(t, h, "GET", "/events", "", with("Cookie", last), during(days))
			done <- time.Now()
		}()
		time.Sleep(12*time.Hour - 2*time.Second)
		if w := request(t, h, "GET", "/metrics", "", with("Cookie", last)); w.Code != 200 {
			t.Errorf("in time: %d", w.Code)
		}
		time.Sleep(2 * time.Second)
		if w := request(t, h, "GET", "/metrics", "", with("Cookie", last)); w.Code != 401 {
			t.Errorf("too late: %d", w.Code)
		}
		if after := time.Now(); (<-done).After(after) {
			t.Error("a stream of events outlives its session")
		}
		_, cookie := signIn(t, h, rightToken)
		mine, begun := with("Cookie", cookie.Name+"="+cookie.Value), time.Now()
		time.AfterFunc(time.Hour, func() { request(t, h, "POST", "/sign-out", "", mine) })
		request(t, h, "GET", "/events", "", mine, during(days))
		if lasted := time.Since(begun); lasted != time.Hour {
			t.Errorf("a stream of events lasted %v, signed out after an hour", lasted)
		}
	})
}

// A token that is replaced takes along what was begun with it: a stream of events that was asked for by showing it, and one of somebody who has signed in with it.
func TestAccess_life_of_a_token(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, access, _ := gated(t, false)
		_, cookie := signIn(t, h, rightToken)
		day, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		done := make(chan string, 2)
		for name, shown := range map[string]change{"token": with("Authorization", "Bearer "+rightToken), "session": with("Cookie", cookie.Name+"="+cookie.Value)} {
			go func() {
				request(t, h, "GET", "/events", "", shown, during(day))
				done <- name
			}()
		}
		access.Renew(token(t, rightToken))
		select {
		case name := <-done:
			t.Errorf("the same token again ends the stream of a %s", name)
		case <-time.After(time.Hour):
		}
		access.Renew(token(t, strings.ToUpper(rightToken)))
		for range 2 {
			select {
			case <-done:
			case <-time.After(time.Minute):
				t.Fatal("a stream goes on")
			}
		}
	})
}

// Wrong tokens are counted by address: of IPv6 by network, over whatever they were shown, and they are forgotten with time.
func TestAccess_wrong_tokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, set := gated(t, false)
		counted := func(all ...string) {
			t.Helper()
			var figures strings.Builder
			set.WritePrometheus(&figures)
			for _, want := range all {
				if !strings.Contains(figures.String(), "autodiscover_guard_admin_sign_ins_total"+want+"\n") {
					t.Errorf("no %s in\n%s", want, figures.String())
				}
			}
		}
		counted(`{result="right"} 0`, `{result="wrong"} 0`, `{result="too many"} 0`)
		wrong, right := with("Authorization", "Bearer "+strings.ToUpper(rightToken)), with("Authorization", "Bearer "+rightToken)
		here, neighbour, there := from("[2001:db8::1]:1"), from("[2001:db8::8000:0:0:2]:2"), from("[2001:db8:0:1::1]:1")
		_, cookie := signIn(t, h, rightToken)
		for i := range 10 {
			w := request(t, h, "GET", "/metrics", "", wrong, here)
			if i%2 == 1 {
				w, _ = signIn(t, h, "wrong", neighbour)
			}
			if i < 5 && w.Code != 401 {
				t.Errorf("wrong token %d: %d", i, w.Code)
			}
		}
		for name, c := range map[string]struct {
			changes []change
			want    int
		}{
			"the right one comes too late": {[]change{right, here}, 429},
			"from the next computer":       {[]change{right, neighbour}, 429},
			"from another network":         {[]change{right, there}, 200},
			"who is signed in":             {[]change{with("Cookie", cookie.Name+"="+cookie.Value), here}, 200},
			"who shows nothing":            {[]change{here}, 401},
		} {
			if w := request(t, h, "GET", "/metrics", "", c.changes...); w.Code != c.want || w.Code == 429 && w.Header().Get("Retry-After") != "10" {
				t.Errorf("%s: %d, want %d; %v", name, w.Code, c.want, w.Header())
			}
		}
		if w, _ := signIn(t, h, rightToken, here); w.Code != 429 || !strings.Contains(w.Body.String(), "in 10 seconds") {
			t.Errorf("the form: %d %s", w.Code, w.Body)
		}
		counted(`{result="right"} 1`, `{result="wrong"} 10`, `{result="too many"} 8`)
		for range 10 {
			request(t, h, "GET", "/metrics", "", wrong, from("192.0.2.6:1"))
		}
		for address, want := range map[string]int{"192.0.2.6:2": 429, "[::ffff:192.0.2.6]:1": 429, "192.0.2.7:1": 200} { // of IPv4 each address
			if w := request(t, h, "GET", "/metrics", "", right, from(address)); w.Code != want {
				t.Errorf("%s: %d, want %d", address, w.Code, want)
			}
		}
		time.Sleep(10 * time.Second)
		if w := request(t, h, "GET", "/metrics", "", right, here); w.Code != 200 {
			t.Errorf("after a while: %d", w.Code)
		}
	})
}

func TestConsole_names(t *testing.T) {
	h, _, _ := gated(t, false)
	arrived := func(r *http.Request) {
		at := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[::ffff:192.0.2.1]:8081"))
		*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(at)))
	}
	for host, want := range map[string]int{
		"gateway.lab.test": 200, "Gateway.Lab.Test.:8081": 200, "192.0.2.1:8081": 200, "localhost": 200, "[::1]:1": 200, "[::1]": 200,
		"192.0.2.2:8081": 421, "x.gateway.lab.test": 421, "gateway.lab.test.stranger.net": 421, "": 421,
	} {
		if w := request(t, h, "GET", "/proxy.pac", "", arrived, func(r *http.Request) { r.Host = host }); w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
	if w := request(t, h, "GET", "/proxy.pac", "", func(r *http.Request) { r.Host = "192.0.2.1" }); w.Code != 421 {
		t.Errorf("an address at which nothing arrived: %d", w.Code)
	}
}

func TestParseToken(t *testing.T) {
	for text, ok := range map[string]bool{
		rightToken: true, rightToken + "\r\n": true, rightToken[1:]: false, "": false, strings.Repeat("x", 513): false,
		rightToken + "\n" + rightToken: false, rightToken + " x": false, rightToken + "é": false,
	} {
		got, err := console.ParseToken([]byte(text))
		if (err == nil) != ok || err != nil && text != "" && strings.Contains(err.Error(), text) || strings.Contains(fmt.Sprintf("%v %#v %s", got, got, got), "[") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestLists(t *testing.T) {
	h := console.Lists(map[string]func(string) ([]byte, error){
		"/authority.crl": func(string) ([]byte, error) { return []byte("list"), nil },
		"/former/{list}": func(path string) ([]byte, error) { return []byte(strings.TrimPrefix(path, "/former/none.crl")), nil },
	})
	for path, want := range map[string]int{"/authority.crl": 200, "/former/some.crl": 200, "/former/none.crl": 404, "/former/": 400, "/": 400, "/proxy.pac": 400, "/sign-in": 400} {
		if w := request(t, h, "GET", path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}
