package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/rules"
)

// fakeGuard is a proxy that opens every tunnel for which connect says 200, with the authority's certificates, and has h answer.
type fakeGuard struct {
	authority *certs.Authority
	connect   func(host string) int
	h         http.Handler
}

func (g *fakeGuard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		g.h.ServeHTTP(w, r)
		return
	}
	host, _, _ := net.SplitHostPort(r.Host)
	status := g.connect(host)
	if status != http.StatusOK {
		w.WriteHeader(status)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\n")
	secured := tls.Server(conn, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return g.authority.Leaf(host) }})
	defer secured.Close()
	reader := bufio.NewReader(secured)
	for {
		inner, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		answer := httptest.NewRecorder()
		g.h.ServeHTTP(answer, inner)
		response := answer.Result()
		response.ContentLength = int64(answer.Body.Len())
		if response.Write(secured) != nil {
			return
		}
	}
}

// examined is an examination of a fake guard that is reached already.
func examined(t *testing.T, connect func(string) int, h http.HandlerFunc) *examination {
	t.Helper()
	a, err := certs.Open(t.TempDir(), certs.Scope{Names: []string{"example.com", "test", "arpa"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	server := httptest.NewServer(&fakeGuard{a, connect, h})
	t.Cleanup(server.Close)
	e := examiner(t, rules.Config{})
	e.Root, e.Settings = a.Root(), config.Default()
	e.Proxy, _ = url.Parse(server.URL)
	e.route = route{proxy: e.Proxy, roots: pool(e.Root)}
	e.client = netip.MustParseAddr("127.0.0.1")
	e.accounts = []account{{e.identity, documentation}}
	e.unguardedAccounts = []account{{e.identity, e.local + unguarded}}
	return e
}

func always(status int) func(string) int { return func(string) int { return status } }

func TestReachable(t *testing.T) {
	for _, c := range []struct {
		status int
		state  State
		want   string
	}{
		{200, OK, "answers, and opens autodiscover.example.com"},
		{407, Fail, "asks for a name and a password"},
		{403, Fail, "does not take this client"},
		{503, Fail, "at a limit"},
		{429, Fail, "at a limit"},
		{502, Fail, "another proxy"},
	} {
		e := examined(t, always(c.status), http.NotFound)
		f := e.reachable(t.Context())[0]
		if f.State != c.state || !strings.Contains(f.What, c.want) || e.reached != (c.state == OK) || (f.Do == "") != (c.state == OK) {
			t.Errorf("%d: %+v, reached %v", c.status, f, e.reached)
		}
	}
}

// Whether the operator's domain is guarded may depend on who asks, and we are known only then.
func TestReachable_ownDomain(t *testing.T) {
	for clients, want := range map[string]string{"127.0.0.0/8": "corp-mail.net", "192.0.2.0/24": ""} {
		e := examined(t, always(200), http.NotFound)
		policy, err := rules.New(rules.Config{Rules: []rules.Rule{{
			Name: "pin", Domains: []string{"corp-mail.net"}, Allow: []string{"*.corp-mail.net"}, Clients: []netip.Prefix{netip.MustParsePrefix(clients)},
			Mode: rules.Enforce,
		}}})
		if err != nil {
			t.Fatal(err)
		}
		e.Policy, e.Domain, e.client = policy, "corp-mail.net", netip.Addr{}
		if e.reachable(t.Context()); e.own != want || len(e.accounts)+len(e.unguardedAccounts) != 3 {
			t.Errorf("%s: the guarded domain is %q, want %q", clients, e.own, want)
		}
	}
}

func TestReachable_otherAuthority(t *testing.T) {
	e, other := examined(t, always(200), http.NotFound), examined(t, always(200), http.NotFound)
	e.route.roots = pool(other.Root)
	if f := e.reachable(t.Context())[0]; f.State != Fail || !strings.Contains(f.What, "not of this authority") {
		t.Errorf("%+v", f)
	}
}

func TestReachable_silent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e := examined(t, always(200), http.NotFound)
	e.route.proxy = &url.URL{Scheme: "http", Host: l.Addr().String()}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if f := e.reachable(ctx)[0]; f.State != Fail || e.reached {
		t.Errorf("%+v", f)
	}
}

// A guard that opens what is nobody's is noticed; one that cannot reach it is not blamed.
func TestTunnelled(t *testing.T) {
	oneOpened := func(host string) int {
		if strings.HasPrefix(host, "doctor-") { // the first of the names
			return 200
		}
		return 502
	}
	for name, c := range map[string]struct {
		connect func(string) int
		want    State
	}{
		"opened": {always(200), Fail}, "one opened": {oneOpened, Fail}, "502": {always(502), OK}, "504": {always(504), OK}, "403": {always(403), OK},
		"503": {always(503), Warning}, "429": {always(429), Warning},
	} {
		e := examined(t, c.connect, http.NotFound)
		if f := e.tunnelled(t.Context())[0]; f.State != c.want {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// Every client notices a guard that lets a challenge through, and that the password comes back.
func TestSequences_brokenGuard(t *testing.T) {
	e := examined(t, always(200), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		w.Header().Set("Www-Authenticate", "Basic realm=exchange")
		w.WriteHeader(http.StatusUnauthorized)
	})
	// The fake authority signs for no service.
	policy, err := rules.New(rules.Config{Services: map[string]rules.Mode{"autodetect": rules.Off, "ispdb": rules.Off}})
	if err != nil {
		t.Fatal(err)
	}
	e.Policy = policy
	found := e.sequences(t.Context())
	if len(found) != len(clients) {
		t.Fatalf("%d findings of %d clients", len(found), len(clients))
	}
	for _, f := range found {
		if f.State != Fail || !strings.Contains(f.What, "status 401") {
			t.Errorf("%+v", f)
		}
	}
	e.log = &records{}
	if f := e.secrets(t.Context())[0]; f.State != Fail || !strings.Contains(f.What, "comes back") || strings.Contains(f.What, e.password) {
		t.Errorf("%+v", f)
	}
}
