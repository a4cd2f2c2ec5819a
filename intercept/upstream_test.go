package intercept_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/http2"

	"autodiscover-guard/intercept"
)

// refusing is an address where nobody listens, and where nobody will: the local end of a connection.
func refusing(tb testing.TB) string {
	tb.Helper()
	to := listen(tb, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	c, err := net.Dial("tcp", to)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c.LocalAddr().String()
}

// secured is an upstream with a certificate of its own.
func secured(tb testing.TB, upstream http.HandlerFunc, cert *tls.Certificate) string {
	tb.Helper()
	s := httptest.NewUnstartedServer(upstream)
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert, nil }}
	s.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	s.StartTLS()
	tb.Cleanup(func() { over(tb, s.Close) })
	return s.Listener.Addr().String()
}

// timeouts changes the upstream's timeouts.
func timeouts(change func(*intercept.UpstreamConfig)) option {
	return func(c *intercept.Config, _ *proxyServer, _ *world) { change(&c.Upstream) }
}

// checkPage checks what an unguarded client is told: the truth, in our words, without anything of Go's or of our network.
func checkPage(t *testing.T, got reply, status int, text string) {
	t.Helper()
	if got.StatusCode != status || got.body != text {
		t.Errorf("got %d %q, want %d %q", got.StatusCode, got.body, status, text)
	}
	for _, raw := range []string{"x509", "tls: ", "dial tcp", "lookup", "127.0.0.1", "::1", "EOF", "net/http", "context", "goroutine", "nowhere"} {
		if strings.Contains(got.body, raw) {
			t.Errorf("the page tells %q: %q", raw, got.body)
		}
	}
	if got.Header.Get("Content-Type") != "text/plain; charset=utf-8" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got header %v", got.Header)
	}
}

// checkFailures asks through a door where no upstream answers: about somebody guarded, about nobody guarded, and no discovery at all.
func checkFailures(t *testing.T, w *world, client *http.Transport, scheme, class, text string, status int) {
	t.Helper()
	guarded := send(t, client, ask(t, scheme, "email@example.com"))
	if guarded.StatusCode != 200 || guarded.body != suggest("email@example.com") {
		t.Errorf("guarded: got %d %q, want the quiet answer", guarded.StatusCode, guarded.body)
	}
	own := send(t, client, poxAsk(t, scheme+"://"+labHost+poxPath, "user@lab.test"))
	if own.StatusCode != http.StatusNotFound || own.body != "not found\n" {
		t.Errorf("guarded, at its own host: got %d %q, want that there is nothing here", own.StatusCode, own.body)
	}
	open := send(t, client, ask(t, scheme, "user@corp-mail.net"))
	checkPage(t, open, status, "autodiscover-guard: "+central+" "+text+" ("+class+").\n")
	for n, action := range []string{"refuse", "refuse", "pass"} {
		record := w.decision(n + 1)
		upstream := record["upstream"].(map[string]any)
		if record["action"] != action || upstream["error"] != class || upstream["status"] != 0 {
			t.Errorf("got record %v, want %s, upstream error %s", record, action, class)
		}
		forwarded := record["credentials"].(map[string]any)["forwarded"]
		if class != "timeout" && forwarded != false {
			t.Errorf("record %d says that credentials were forwarded: %v", n+1, record)
		}
	}
	if class != "timeout" {
		page := send(t, client, request(t, http.MethodGet, scheme+"://opened.net/", ""))
		checkPage(t, page, status, "autodiscover-guard: opened.net "+text+" ("+class+").\n")
	}
	w.stop(client)
	if n := w.decisions.Len(); n != 3 {
		t.Errorf("got %d records, want 3", n)
	}
}

// everywhere leads the hosts of checkFailures to one address.
func everywhere(addr string) option {
	return func(c *intercept.Config, _ *proxyServer, _ *world) {
		for _, host := range []string{central, labHost, "opened.net"} {
			c.Upstream.Resolve[host+":443"] = addr
			c.Upstream.Resolve[host+":80"] = addr
		}
	}
}

// An upstream that cannot prove who it is is told nothing, and nothing of what it says is believed.
func TestUpstream_certificateDoesNotVerify(t *testing.T) {
	names := []string{central, labHost, "opened.net"}
	for _, c := range []struct {
		name, text string
		make       func(tb testing.TB, web *authority) (*tls.Certificate, error)
	}{
		{"another name", "shows a certificate for another name", func(_ testing.TB, web *authority) (*tls.Certificate, error) {
			return web.sign(&x509.Certificate{DNSNames: []string{bank}, NotAfter: time.Now().Add(time.Hour)})
		}},
		{"unknown authority", "shows a certificate of an unknown authority", func(tb testing.TB, _ *authority) (*tls.Certificate, error) {
			tb.Helper()
			return newAuthority(tb, "rogue").sign(&x509.Certificate{DNSNames: names, NotAfter: time.Now().Add(time.Hour)})
		}},
		{"expired", "shows a certificate that has expired", func(_ testing.TB, web *authority) (*tls.Certificate, error) {
			return web.sign(&x509.Certificate{DNSNames: names, NotAfter: time.Now().Add(-time.Minute)})
		}},
	} {
		for _, door := range doors {
			if door.scheme != "https" {
				continue
			}
			t.Run(c.name+"/"+door.name, func(t *testing.T) {
				t.Parallel()
				web := newAuthority(t, "other web")
				cert, err := c.make(t, web)
				if err != nil {
					t.Fatal(err)
				}
				s := &spy{next: jsonAnswer(suggest("", "imap.lab.test"))}
				w := newWorld(t, jsonAnswer(""), everywhere(secured(t, s.handle, cert)),
					timeouts(func(u *intercept.UpstreamConfig) { u.Roots = web.roots() }))
				checkFailures(t, w, door.client(w), door.scheme, "tls", c.text, http.StatusBadGateway)
				if n := s.asked.Load(); n != 0 {
					t.Errorf("an upstream that did not verify was asked %d times", n)
				}
			})
		}
	}
}

func TestUpstream_doesNotSpeakTLS(t *testing.T) {
	addr := listen(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") })
	w := newWorld(t, jsonAnswer(""), everywhere(addr))
	checkFailures(t, w, w.client(true), "https", "tls", "does not speak TLS", http.StatusBadGateway)
}

func TestUpstream_cannotBeReached(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name+"/refused", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer(""), everywhere(refusing(t)))
			checkFailures(t, w, door.client(w), door.scheme, "connect", "does not accept the connection", http.StatusBadGateway)
		})
		t.Run(door.name+"/no address", func(t *testing.T) {
			t.Parallel()
			// Go's resolver knows without asking anybody that no name begins with a hyphen.
			w := newWorld(t, jsonAnswer(""), everywhere("-nowhere.invalid"))
			checkFailures(t, w, door.client(w), door.scheme, "dns", "does not resolve to an address", http.StatusBadGateway)
		})
	}
}

func TestUpstream_silent(t *testing.T) {
	short := timeouts(func(u *intercept.UpstreamConfig) { u.AnswerTimeout = 50 * time.Millisecond })
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // net/http notices a departure only then
				<-r.Context().Done()
			}, short)
			checkFailures(t, w, door.client(w), door.scheme, "timeout", "took too long to answer", http.StatusGatewayTimeout)
		})
		t.Run(door.name+"/in the middle of its answer", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, `{"email":"`)
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}, short)
			client := door.client(w)
			if got := send(t, client, ask(t, door.scheme, "email@example.com")); got.body != suggest("email@example.com") {
				t.Errorf("guarded: got %d %q, want the quiet answer", got.StatusCode, got.body)
			}
			resp, err := client.RoundTrip(ask(t, door.scheme, "user@corp-mail.net"))
			if err == nil {
				defer resp.Body.Close()
				// On a slow machine the time is over before the answer begins.
				if body, err := io.ReadAll(resp.Body); err == nil && resp.StatusCode != http.StatusGatewayTimeout {
					t.Errorf("half an answer looks whole: %d %q", resp.StatusCode, body)
				}
			}
			for n := range 2 {
				if got := w.decision(n + 1)["upstream"].(map[string]any)["error"]; got != "truncated" && got != "timeout" {
					t.Errorf("record %d: got upstream error %v", n+1, got)
				}
			}
		})
	}
}

// What upstream may send ahead of its client is in memory, for each stream of HTTP/2.
func TestUpstream_sendsLittleAhead(t *testing.T) {
	window := make(chan uint32, 1)
	var w *world
	addr := listen(t, func(c net.Conn) {
		upstream := tls.Server(c, &tls.Config{
			NextProtos:     []string{"h2"},
			GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return w.web.Leaf(hello.ServerName) },
		})
		if _, err := io.ReadFull(upstream, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		if frame, err := http2.NewFramer(upstream, upstream).ReadFrame(); err == nil {
			if settings, ok := frame.(*http2.SettingsFrame); ok {
				size, _ := settings.Value(http2.SettingInitialWindowSize)
				window <- size
			}
		}
	})
	w = newWorld(t, jsonAnswer("{}"), resolve("opened.net:443", addr))
	send(t, w.client(true), request(t, http.MethodGet, "https://opened.net/", ""))
	select {
	case got := <-window:
		if got == 0 || got > 512<<10 {
			t.Errorf("upstream may send %d bytes ahead", got)
		}
	default:
		t.Error("upstream was not asked in HTTP/2")
	}
}
