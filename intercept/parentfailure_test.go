package intercept_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/intercept"
)

// answering is a proxy that says the same to everybody.
func answering(t *testing.T, answer string) *uplink {
	t.Helper()
	return &uplink{url: "http://" + listen(t, func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, answer)
		}
	})}
}

// withoutLogin keeps from the guard that the proxy wants one.
func withoutLogin(u *uplink) *uplink { u.untold = true; return u }

// What the proxy behind us refuses, or cannot do, is told as its doing and not the host's, without its address, name or password.
func TestParent_failures(t *testing.T) {
	for _, c := range []struct {
		name   string
		make   func(t *testing.T) *uplink
		status int
		text   string
		tunnel bool // plain HTTP gets what the proxy says
	}{
		{"407", func(t *testing.T) *uplink { t.Helper(); return withoutLogin(httpUplink(t, false, true)) }, 502, "asks for credentials (407)", false},
		{"407 with credentials", func(t *testing.T) *uplink {
			t.Helper()
			u := answering(t, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"a\"\r\nContent-Length: 0\r\n\r\n")
			u.login = true
			return u
		}, 502, "does not accept the credentials (407)", false},
		{"407 of another kind", func(t *testing.T) *uplink {
			t.Helper()
			u := answering(t, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM,Digest realm=\"Basic\", nonce=\"a\"\r\nContent-Length: 0\r\n\r\n")
			u.login = true
			return u
		}, 502, "asks for another way to log in than Basic, which alone is spoken here (407)", false},
		{"407 of several kinds", func(t *testing.T) *uplink {
			t.Helper()
			u := answering(t, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate,\tbasic realm=\"a\"\r\nContent-Length: 0\r\n\r\n")
			u.login = true
			return u
		}, 502, "does not accept the credentials (407)", false},
		{"407 of no kind", func(t *testing.T) *uplink {
			t.Helper()
			return answering(t, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
		}, 502, "asks for credentials (407)", false},
		{"403", func(t *testing.T) *uplink {
			t.Helper()
			return answering(t, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
		}, 502, "refuses to lead there (403)", true},
		{"502", func(t *testing.T) *uplink { t.Helper(); return answering(t, "HTTP/1.1 502 Bad Gateway\r\n\r\n") }, 502, "cannot reach it (502)", true},
		{"504", func(t *testing.T) *uplink { t.Helper(); return answering(t, "HTTP/1.1 504 Gateway Timeout\r\n\r\n") }, 504, "waited in vain (504)", true},
		{"302", func(t *testing.T) *uplink {
			t.Helper()
			return answering(t, "HTTP/1.1 302 Found\r\nLocation: http://a/\r\n\r\n")
		}, 502, "gives no tunnel (302)", true},
		{"cut", func(t *testing.T) *uplink { t.Helper(); return answering(t, "") }, 502, "closed the connection in the middle of its answer", true},
		{"dead", func(t *testing.T) *uplink { t.Helper(); return &uplink{url: "http://" + refusing(t), login: true} }, 502, "does not accept the connection", false},
		{"unknown", func(t *testing.T) *uplink { t.Helper(); return &uplink{url: "socks5://-nowhere.invalid", login: true} }, 502, "does not resolve to an address", false},
		{"not ours", func(t *testing.T) *uplink {
			t.Helper()
			u := httpUplink(t, true, true)
			u.authority = nil
			return u
		}, 502, "shows a certificate of an unknown authority", false},
		{"no TLS", func(t *testing.T) *uplink {
			t.Helper()
			u := answering(t, "")
			u.url = "https://" + listen(t, func(c net.Conn) { _, _ = io.WriteString(c, "hello, this is no TLS") })
			return u
		}, 502, "does not speak TLS", false},
		{"socks wants a log-in", func(t *testing.T) *uplink { t.Helper(); return withoutLogin(socksUplink(t, true, 0)) }, 502, "asks for credentials", false},
		{"socks refuses", func(t *testing.T) *uplink { t.Helper(); return socksUplink(t, true, 2) }, 502, "refuses to lead there", false},
		{"socks cannot", func(t *testing.T) *uplink { t.Helper(); return socksUplink(t, false, 4) }, 502, "cannot reach it", false},
		{"socks is odd", func(t *testing.T) *uplink { t.Helper(); return socksUplink(t, false, 99) }, 502, "cannot reach it", false},
		{"no socks", func(t *testing.T) *uplink {
			t.Helper()
			return &uplink{url: "socks5://" + listen(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") })}
		}, 502, "does not speak SOCKS5", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := c.make(t).world(t, jsonAnswer(suggest("", stranger)))
			checkParentFailure(t, w, c.status, c.text, c.tunnel)
		})
	}
}

func checkParentFailure(t *testing.T, w *world, status int, text string, tunnel bool) {
	t.Helper()
	text = " cannot be reached: the upstream proxy " + text + " (proxy).\n"
	if _, err := w.connect(bank + ":25"); err == nil || !strings.Contains(err.Error(), fmt.Sprint(status, " ", http.StatusText(status), ": autodiscover-guard: ", bank, text)) {
		t.Errorf("tunnel: got %v, want %d %q", err, status, text)
	}
	got := send(t, w.client(true), request(t, http.MethodGet, "https://opened.net/", ""))
	checkPage(t, got, status, "autodiscover-guard: opened.net"+text)
	if !tunnel {
		got = send(t, w.client(false), request(t, http.MethodGet, "http://opened.net/", ""))
		checkPage(t, got, status, "autodiscover-guard: opened.net"+text)
	}
	guarded := send(t, w.client(true), ask(t, "https", "email@example.com"))
	if guarded.StatusCode != 200 || guarded.body != suggest("email@example.com") {
		t.Errorf("guarded: got %d %q, want the quiet answer", guarded.StatusCode, guarded.body)
	}
	record := w.decision(1)
	if u := record["upstream"].(map[string]any); u["error"] != "proxy" || u["status"] != 0 || record["action"] != "refuse" {
		t.Errorf("got record %v", record)
	}
	if record["credentials"].(map[string]any)["forwarded"] != false {
		t.Errorf("the record says that credentials were forwarded: %v", record)
	}
	for _, entry := range append(w.life.All(), w.decisions.All()...) {
		line := fmt.Sprint(entry.Message, entry.ContextMap())
		for _, secret := range []string{proxyUser, proxyPassword, base64.StdEncoding.EncodeToString([]byte(proxyUser + ":" + proxyPassword))} {
			if strings.Contains(line, secret) {
				t.Errorf("the log tells %q: %s", secret, line)
			}
		}
	}
}

// A proxy that says nothing costs as much time as a connection may. It is enough of it for a busy computer to make the connection.
func TestParent_silent(t *testing.T) {
	t.Parallel()
	for scheme, text := range map[string]string{
		"http": "took too long to answer", "https": "took too long for the TLS handshake", "socks5": "took too long to answer",
	} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			u := &uplink{url: scheme + "://" + listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })}
			w := u.world(t, jsonAnswer(""), timeouts(func(c *intercept.UpstreamConfig) { c.DialTimeout = 500 * time.Millisecond }))
			checkParentFailure(t, w, http.StatusGatewayTimeout, text, true)
		})
	}
}

// What is wrong with the setting is said without repeating it: it may hold a password that does not belong there.
func TestParent_badSettings(t *testing.T) {
	for name, u := range map[string]intercept.UpstreamConfig{
		"a user inside": {Proxy: "http://me:" + password + "@proxy.net:3128"},
		"not a URL":     {Proxy: "http://me:" + password + "@[::1"},
		"no scheme":     {Proxy: password + ".net:3128"},
		"ftp":           {Proxy: "ftp://" + password + ".net"},
		"a path":        {Proxy: "http://proxy.net/" + password},
		"a query":       {Proxy: "http://proxy.net/?" + password},
		"no host":       {Proxy: "http://:3128"},
		"a colon":       {Proxy: "http://proxy.net", ProxyCredentials: intercept.NewCredentials(password+":", "")},
		"long":          {Proxy: "socks5://proxy.net", ProxyCredentials: intercept.NewCredentials("a", strings.Repeat(password, 100))},
	} {
		w := newWorld(t, jsonAnswer(""), func(c *intercept.Config, _ *proxyServer, _ *world) {
			bad := *c
			bad.Upstream = u
			if _, err := intercept.New(bad); err == nil || !strings.Contains(err.Error(), "Upstream.Proxy") || strings.Contains(err.Error(), password) {
				t.Errorf("%s: got %v", name, err)
			}
		})
		_ = w
	}
}

func TestCredentials_areNotShown(t *testing.T) {
	c := intercept.UpstreamConfig{ProxyCredentials: intercept.NewCredentials(proxyUser, proxyPassword)}
	asJSON, err := json.Marshal(c.ProxyCredentials)
	if err != nil {
		t.Fatal(err)
	}
	buffer, err := zapcore.NewJSONEncoder(zapcore.EncoderConfig{}).EncodeEntry(zapcore.Entry{},
		[]zap.Field{zap.Any("c", c.ProxyCredentials), zap.Any("p", &c.ProxyCredentials), zap.Reflect("r", c.ProxyCredentials)})
	if err != nil {
		t.Fatal(err)
	}
	logged := buffer.String()
	for _, shown := range []string{
		fmt.Sprint(c), fmt.Sprintf("%v %+v %#v", c, c, c), fmt.Sprintf("%s %q %x %d %#v", c.ProxyCredentials, c.ProxyCredentials, c.ProxyCredentials, c.ProxyCredentials, c.ProxyCredentials), fmt.Sprint(&c), string(asJSON), logged,
	} {
		if strings.Contains(shown, proxyUser) || strings.Contains(shown, proxyPassword) || strings.Contains(shown, fmt.Sprintf("%x", proxyPassword)) {
			t.Errorf("got %s", shown)
		}
	}
}
