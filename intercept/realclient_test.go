package intercept_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pin is how Chromium names the key of a leaf that it is to trust.
func (a *authority) pin(t *testing.T, name string) string {
	t.Helper()
	leaf, err := a.Leaf(name)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(leaf.Leaf.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// A browser loads a page of an opened host, which loads more from itself and from a host that is tunnelled, through the explicit door: in HTTP/1.1,
// and over TLS, where browsers speak HTTP/2 to a proxy.
func TestChromium_throughTheGuard(t *testing.T) {
	t.Parallel()
	browser := program(t, "chromium", "chromium")
	s := &spy{next: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = io.WriteString(w, "<!doctype html><title>t</title><p id=p>waiting<script>const more=u=>fetch(u).then(r=>r.text());"+
			"Promise.all([more('/more'),more('https://"+bank+"/more')]).then(x=>document.getElementById('p').textContent='loaded '+x.length)</script>")
	}}
	w := newWorld(t, s.handle)
	pins := w.issuer.pin(t, "opened.net") + "," + w.web.pin(t, bank) + "," + w.web.pin(t, "proxy.test")
	var tunnels [3]atomic.Int64 // over TLS, by the version of HTTP
	secure := w.serveSecurely(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			tunnels[min(r.ProtoMajor, 2)].Add(1)
		}
		w.server.Handler.ServeHTTP(rw, r)
	}))
	for name, proxy := range map[string]string{"HTTP/1.1": "http://" + w.addr, "TLS and HTTP/2": "https://" + secure} {
		t.Run(name, func(t *testing.T) {
			before, home := s.asked.Load(), t.TempDir()
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
				"--disable-background-networking", "--disable-component-update", "--disable-sync",
				"--user-data-dir="+filepath.Join(home, "profile"), "--proxy-server="+proxy,
				"--ignore-certificate-errors-spki-list="+pins, "--virtual-time-budget=10000", "--dump-dom", "https://opened.net/page")
			cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
			cmd.WaitDelay = 5 * time.Second
			var said strings.Builder
			cmd.Stderr = &said
			out, err := cmd.Output()
			if err != nil || !strings.Contains(string(out), "loaded 2") || s.asked.Load() < before+3 {
				t.Errorf("upstream was asked %d times, got %v:\n%s\n%s", s.asked.Load()-before, err, out, said.String())
			}
		})
	}
	if tunnels[1].Load() > 0 || tunnels[2].Load() < 2 {
		t.Errorf("over TLS the browser made %d tunnels in HTTP/1.1 and %d in HTTP/2, want two or more and all in HTTP/2", tunnels[1].Load(), tunnels[2].Load())
	}
}

// h2load (nghttp2) is strict about HTTP/2: what a Go client forgives, it ends a stream or a connection for. It speaks it to the hall through a tunnel
// that is opened by hand, because it knows no proxies.
func TestNGHTTP2_throughTheGuard(t *testing.T) {
	t.Parallel()
	load := program(t, "h2load", "nghttp2-client")
	s := &spy{next: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Keep-Alive", "timeout=5") // not allowed in HTTP/2
		jsonAnswer(suggest(somehow, stranger))(w, r)
	}}
	w := newWorld(t, s.handle)
	tunnels := listen(t, func(c net.Conn) {
		inner, err := w.connect(central + ":443")
		if err != nil {
			return
		}
		defer inner.Close()
		go func() {
			_, _ = io.Copy(inner, c)
			_ = inner.Close()
		}()
		_, _ = io.Copy(c, inner)
	})
	_, port, _ := net.SplitHostPort(tunnels)
	basic := "authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(somehow+":"+password))
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	const requests = "200"
	out, err := exec.CommandContext(ctx, load, "-n", requests, "-c", "4", "-m", "20", "--connect-to=127.0.0.1:"+port, "-H", basic, "https://"+central+detect).CombinedOutput()
	if err != nil || !strings.Contains(string(out), requests+" succeeded, 0 failed, 0 errored, 0 timeout") || !strings.Contains(string(out), "Application protocol: h2") ||
		!strings.Contains(string(out), "status codes: "+requests+" 2xx") {
		t.Errorf("h2load: %v\n%s", err, out)
	}
	w.decision(200)
	if n := w.decisions.Len(); n != 200 {
		t.Errorf("got %d records, want 200", n)
	}
	if strings.Contains(string(out), "Keep-Alive") {
		t.Errorf("h2load got a field of the connection's:\n%s", out)
	}
}

// OpenSSL's own client comes through a tunnel that is opened, in HTTP/1.1 and HTTP/2, and sees the guard's leaf; through one that is not, it sees
// the site's.
func TestOpenSSL_throughTheGuard(t *testing.T) {
	openssl := program(t, "openssl", "openssl")
	w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)))
	for name, c := range map[string]struct {
		host string
		by   *authority
		args []string
		want string
	}{
		"opened":       {central, w.issuer, nil, "HTTP/1.1 200"},
		"opened, ALPN": {central, w.issuer, []string{"-alpn", "h2"}, "ALPN protocol: h2"},
		"tunnelled":    {bank, w.web, nil, "Verification: OK"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			args := append([]string{
				"s_client", "-proxy", w.addr, "-connect", c.host + ":443", "-servername", c.host, "-CAfile", c.by.file(t),
				"-verify_return_error", "-verify_hostname", c.host, "-ign_eof",
			}, c.args...)
			cmd := exec.CommandContext(ctx, openssl, args...)
			cmd.Stdin = strings.NewReader("GET / HTTP/1.1\r\nHost: " + c.host + "\r\nConnection: close\r\n\r\n")
			cmd.WaitDelay = 5 * time.Second
			out, err := cmd.CombinedOutput()
			if !strings.Contains(string(out), "Verification: OK") || !strings.Contains(string(out), c.want) {
				t.Errorf("got %v:\n%s", err, out)
			}
		})
	}
}
