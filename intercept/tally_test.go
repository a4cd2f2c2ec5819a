package intercept_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"testing"

	"autodiscover-guard/intercept"
)

// TestStats_handshakes ends a handshake in each way that is a client's to choose, and finds it counted under its word and no other.
func TestStats_handshakes(t *testing.T) {
	for _, c := range []struct {
		outcome string
		behave  func(*testing.T, *world)
	}{
		{"done", func(t *testing.T, w *world) {
			t.Helper()
			shake(t, w, &tls.Config{RootCAs: w.issuer.roots(), ServerName: central}, true)
		}},
		{"untrusted", func(t *testing.T, w *world) {
			t.Helper()
			shake(t, w, &tls.Config{RootCAs: w.web.roots(), ServerName: central}, false)
		}},
		{"refused", func(t *testing.T, w *world) {
			t.Helper()
			shake(t, w, &tls.Config{RootCAs: w.issuer.roots(), ServerName: bank}, false)
		}},
		{"gone", func(t *testing.T, w *world) {
			t.Helper()
			conn, err := w.connect(central + ":443")
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
		}},
		{"not tls", func(t *testing.T, w *world) {
			t.Helper()
			conn, err := w.connect(central + ":443")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+central+"\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn)
		}},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			w := newWorld(t, jsonAnswer("{}"))
			c.behave(t, w)
			w.eventually(t, "the handshake is counted", func(s intercept.Stats) bool { return s.Handshakes[c.outcome] == 1 })
			for word, n := range w.plugin.Stats().Handshakes {
				if word != c.outcome && n != 0 {
					t.Errorf("%s is counted too", word)
				}
			}
		})
	}
}

func shake(t *testing.T, w *world, config *tls.Config, succeeds bool) {
	t.Helper()
	if _, err := w.tls(central+":443", config); (err == nil) != succeeds {
		t.Fatalf("handshake: %v", err)
	}
}

// TestStats_upstreamErrors counts what discovery (over HTTP/2, where upstream resets the stream), other plain requests and tunnels meet, once each.
func TestStats_upstreamErrors(t *testing.T) {
	w := newWorld(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, func(c *intercept.Config, _ *proxyServer, _ *world) {
		c.Upstream.Resolve["closed.net"] = "127.0.0.1:1"
	})
	client := &http.Client{Transport: w.client(true)}
	for _, url := range []string{"https://" + central + detect, "http://" + bank + "/", "http://closed.net/", "https://closed.net/", "http://nobody.invalid/"} {
		resp, err := client.Get(url)
		if err == nil {
			_ = resp.Body.Close()
		}
	}
	got := fmt.Sprint(w.plugin.Stats().UpstreamErrors)
	if want := "map[canceled:0 connect:2 dns:1 loop:0 other:0 private address:0 protocol:1 proxy:0 resources:0 timeout:0 tls:0 truncated:1]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
