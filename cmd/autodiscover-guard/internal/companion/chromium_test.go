package companion_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/rules/reserved"
)

// seen collects the hosts that came to one of two servers: the proxy, or where everything else is resolved to.
type seen struct {
	mu    sync.Mutex
	hosts map[string]string
}

func (s *seen) note(host, way string) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hosts[strings.ToLower(strings.TrimRight(host, "."))] = way
}

func (s *seen) way(host string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hosts[host]
}

// chromium is the program under any of its names.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("chromium is not installed: apt-get install chromium")
	return ""
}

// unheard are hosts that Chromium asks directly without our hearing of it: by https, because it knows them to be so (HSTS preload list), or at
// an address that the rules for its resolver do not reach. That they do not come to the guard is heard all the same.
var unheard = map[string]bool{"mail.google.com": true, "outlook.cloud.microsoft": true, "[2001:db8::1]": true}

// A headless Chromium loads an image from each host of the table, by the PAC file. What it sends to the proxy comes to one server, and what it
// sends directly is resolved to the other.
func TestPAC_in_Chromium(t *testing.T) {
	t.Parallel()
	program := chromium(t)
	policy := builtIn(t)
	came := &seen{hosts: map[string]string{}}
	guard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came.note(r.Host, "guard")
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(guard.Close)
	proxy := companion.Proxy{Host: "127.0.0.1", Port: guard.URL[strings.LastIndexByte(guard.URL, ':')+1:]}
	var hosts []string
	var page strings.Builder
	for _, host := range hostTable {
		if !net.ParseIP(strings.Trim(host, "[]")).IsLoopback() && !strings.Contains(host, "..") && host != "autodiscover." { // loopback never goes to a proxy
			hosts = append(hosts, host)
			fmt.Fprintf(&page, "<img src=\"http://%s/\">", host)
		}
	}
	direct := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/proxy.pac":
			w.Header().Set("Content-Type", companion.PACMediaType)
			_, _ = w.Write(companion.PAC(policy, proxy))
		case r.URL.Path == "/table":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, page.String())
		default:
			came.note(r.Host, "DIRECT")
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(direct.Close)
	cmd := exec.CommandContext(t.Context(), program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-features=HttpsUpgrades,LocalNetworkAccessChecks", "--user-data-dir="+t.TempDir(),
		"--proxy-pac-url="+direct.URL+"/proxy.pac", "--host-resolver-rules=MAP * "+strings.TrimPrefix(direct.URL, "http://")+", EXCLUDE 127.0.0.1",
		"--timeout=40000", "--dump-dom", direct.URL+"/table")
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, host := range hosts {
		want := "DIRECT"
		if wanted(policy, policy.Hosts(), host, "guard") == "guard" {
			want = "guard"
		}
		got := came.way(strings.Trim(reserved.Canonical(host), "[]"))
		if got == "" && unheard[host] {
			got = "DIRECT"
		}
		if got != want {
			t.Errorf("%s: %q, want %s", host, got, want)
		}
	}
}
