package console_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// fixture is a console over a fresh authority.
func fixture(t *testing.T, status *console.Status, pac *string) (http.Handler, *metrics.Set, *certs.Authority) {
	t.Helper()
	return fixtureOver(t, status, pac, console.NewRing())
}

func fixtureOver(t *testing.T, status *console.Status, pac *string, ring *console.Ring) (http.Handler, *metrics.Set, *certs.Authority) {
	t.Helper()
	a, err := certs.Open(t.TempDir(), certs.Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	status.Authority = a.Fingerprint()
	set := metrics.NewSet()
	return console.New(console.Config{
		Status: func() console.Status { return *status }, Root: a.Root, Metrics: set, PAC: func() []byte { return []byte(*pac) },
		Proxy: companion.Proxy{Host: "127.0.0.1", Port: "8080"}, Recent: ring,
		Health: func() console.Health {
			return console.Health{
				Log: "/state/decisions.jsonl", RootUntil: a.Root().NotAfter, Doors: []console.Door{{Name: "proxy", Address: "127.0.0.1:8080"}},
				Warnings: []certs.Warning{{Level: certs.LevelUrgent, Text: "the root ends <soon>", Cure: "renew it"}},
			}
		},
		RevocationLists: map[string]func(string) ([]byte, error){
			"/authority.crl": func(string) ([]byte, error) { return []byte("list"), nil },
			"/root.crl":      func(string) ([]byte, error) { return nil, nil },
			"/broken.crl":    func(string) ([]byte, error) { return []byte("half of it"), errors.New("no") },
		},
	}), set, a
}

func ask(t *testing.T, h http.Handler, method, host, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://"+host+path, nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestConsole(t *testing.T) {
	status, pac := console.Status{Ready: true, Version: "v1.2.3", Policy: "0123"}, "function FindProxyForURL"
	h, set, a := fixture(t, &status, &pac)
	set.GetOrCreateCounter("autodiscover_guard_test_total").Inc()
	for _, c := range []struct {
		name, method, host, path, want string
		status                         int
	}{
		{"alive", "GET", "127.0.0.1:8081", "/livez", "ok", 200},
		{"ready", "GET", "localhost:8081", "/readyz", `"policy": "0123"`, 200},
		{"which program", "GET", "localhost:8081", "/readyz", `"version": "v1.2.3"`, 200},
		{"figures", "GET", "[::1]:8081", "/metrics", "autodiscover_guard_test_total 1", 200},
		{"root as PEM", "GET", "127.0.0.1", "/ca.pem", string(a.RootPEM()), 200},
		{"root as DER", "GET", "127.0.0.1", "/ca.cer", string(a.Root().Raw), 200},
		{"root for Apple", "GET", "127.0.0.1", "/ca.mobileconfig", "com.apple.security.root", 200},
		{"PAC file", "GET", "127.0.0.1", "/proxy.pac", pac, 200},
		{"PAC file by its old name", "HEAD", "127.0.0.1", "/wpad.dat", "", 200},
		{"set-up", "GET", "127.0.0.1:8081", "/setup", a.Fingerprint(), 200},
		{"the page", "GET", "127.0.0.1:8081", "/", a.Fingerprint(), 200},
		{"the page only", "GET", "127.0.0.1:8081", "/index.html", "", 404},
		{"records", "GET", "127.0.0.1:8081", "/decisions.json", `"decisions":[]`, 200},
		{"records of nobody", "GET", "127.0.0.1:8081", "/decisions.json?client=nonsense", "is not a client", 400},
		{"records by a foreign name", "GET", "rebound.stranger.net", "/decisions.json", "ask by address", 421},
		{"the page by a foreign name", "GET", "rebound.stranger.net", "/", "ask by address", 421},
		{"events by a foreign name", "GET", "rebound.stranger.net", "/events", "ask by address", 421},
		{"sending to the page", "POST", "127.0.0.1", "/", "", 405},
		{"revocation list", "GET", "127.0.0.1", "/authority.crl", "list", 200},
		{"revocation list, under the name in certificates", "GET", "gateway.corp.example:8081", "/authority.crl", "list", 200},
		{"no revocation list", "GET", "127.0.0.1", "/root.crl", "", 404},
		{"a list that cannot be signed", "GET", "127.0.0.1", "/broken.crl", "", 404},
		{"only reading a list", "POST", "127.0.0.1", "/authority.crl", "", 404},
		{"nothing else", "GET", "127.0.0.1", "/root.key", "", 404},
		{"only reading", "POST", "127.0.0.1", "/livez", "", 405},
		{"a foreign name", "GET", "rebound.stranger.net", "/metrics", "ask by address", 421},
		{"a foreign address", "GET", "192.0.2.1", "/metrics", "ask by address", 421},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ask(t, h, c.method, c.host, c.path)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%d %q, want %d with %q", w.Code, w.Body, c.status, c.want)
			}
		})
	}
	status = console.Status{Reason: "draining", Policy: "0123", Authority: a.Fingerprint(), Stale: true, Reload: "guard.yaml:3: …", ReloadedAt: time.Unix(0, 0).UTC()}
	w := ask(t, h, "GET", "127.0.0.1", "/readyz")
	var got console.Status
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 503 || got != status || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %+v, %v", w.Code, got, err)
	}
}

// Profiles are there where they are asked for, by the guard's own names, and without the command line.
func TestConsole_pprof(t *testing.T) {
	for _, c := range []struct {
		name, host, path string
		on               bool
		status           int
	}{
		{"off", "127.0.0.1", "/debug/pprof/goroutine", false, 404},
		{"on", "127.0.0.1", "/debug/pprof/goroutine", true, 200},
		{"the list", "127.0.0.1", "/debug/pprof/", true, 200},
		{"by a foreign name", "rebound.stranger.net", "/debug/pprof/goroutine", true, 421},
		{"the command line", "127.0.0.1", "/debug/pprof/cmdline", true, 404},
		{"symbols", "127.0.0.1", "/debug/pprof/symbol", true, 200},
		{"of a time", "127.0.0.1", "/debug/pprof/profile?seconds=30", true, 200},
		{"traces", "127.0.0.1", "/debug/pprof/trace?seconds=30", true, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := console.New(console.Config{Status: func() console.Status { return console.Status{} }, Metrics: metrics.NewSet(), Pprof: c.on})
			gone, leave := context.WithCancel(t.Context())
			leave() // what takes its time ends with its client
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, httptest.NewRequestWithContext(gone, http.MethodGet, "http://"+c.host+c.path, nil)); w.Code != c.status {
				t.Errorf("got %d, want %d: %s", w.Code, c.status, w.Body)
			}
		})
	}
}

func TestConsole_media_types(t *testing.T) {
	status, pac := console.Status{}, "first"
	h, _, _ := fixture(t, &status, &pac)
	for path, want := range map[string]string{
		"/proxy.pac": "application/x-ns-proxy-autoconfig", "/wpad.dat": "application/x-ns-proxy-autoconfig", "/ca.pem": "application/x-pem-file",
		"/ca.cer": "application/x-x509-ca-cert", "/ca.mobileconfig": "application/x-apple-aspen-config", "/setup": "text/html; charset=utf-8",
	} {
		w := ask(t, h, "GET", "127.0.0.1", path)
		if got := w.Header().Get("Content-Type"); got != want || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s, %v", path, got, w.Header())
		}
		if strings.Contains(w.Body.String(), "PRIVATE KEY") {
			t.Errorf("%s: a key", path)
		}
	}
	pac = "second"
	if got := ask(t, h, "GET", "127.0.0.1", "/proxy.pac").Body.String(); got != "second" {
		t.Errorf("the PAC file is %q, not that of the policy in force", got)
	}
}

func TestCounted(t *testing.T) {
	set := metrics.NewSet()
	core, written := observer.New(zap.InfoLevel)
	log := zap.New(console.Counted(core, set))
	decided := func(log *zap.Logger, would, path string) {
		log.Info("decision", zap.String("action", "refuse"), zap.String("would", would), zap.String("dialect", "pox"), zap.String("rule", "documentation"), zap.String("path", path))
	}
	decided(log, "", `"}`)
	decided(log.With(zap.String("action", "pass")), "", "")
	decided(log, "edit", "")
	log.Info("handshake", zap.String("action", "pass"))
	log.Debug("decision", zap.String("action", "pass"))
	if written.Len() != 4 || written.FilterMessage("handshake").Len() != 1 || written.FilterField(zap.String("action", "pass")).Len() != 2 {
		t.Errorf("written: %v", written.All())
	}
	dropped := console.Dropped(set)
	figures := func() string {
		var b strings.Builder
		set.WritePrometheus(&b)
		return b.String()
	}
	if !strings.Contains(figures(), "autodiscover_guard_log_dropped_total 0") {
		t.Errorf("nothing dropped is not said:\n%s", figures())
	}
	dropped(5)
	for _, want := range []string{`autodiscover_guard_decisions_total{action="refuse",would="",dialect="pox",rule="documentation"} 2`, `{action="refuse",would="edit",dialect="pox",rule="documentation"} 1`, "autodiscover_guard_log_dropped_total 5"} {
		if !strings.Contains(figures(), want) {
			t.Errorf("no %q in\n%s", want, figures())
		}
	}
	if strings.Contains(figures(), `action="pass"`) || strings.Contains(figures(), `action=""`) {
		t.Errorf("what is no decision, or not written, is counted:\n%s", figures())
	}
}
