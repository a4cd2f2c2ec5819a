package intercept_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// A client that says nothing holds nobody else up, and is let go.
func TestSecureListener_silentClient(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"), limits(intercept.Limits{Handshake: 300 * time.Millisecond}))
	door := w.secureDoor(t)
	silent, err := net.Dial("tcp", door)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	client := w.client(false)
	client.Proxy = http.ProxyURL(&url.URL{Scheme: "https", Host: door})
	client.TLSClientConfig.InsecureSkipVerify = true
	if got := send(t, client, request(t, http.MethodGet, "http://opened.net/", "")); got.StatusCode != http.StatusOK {
		t.Errorf("beside a silent client: got %d %q", got.StatusCode, got.body)
	}
	_ = silent.SetReadDeadline(time.Now().Add(20 * time.Second))
	if all, err := io.ReadAll(silent); err != nil || len(all) > 0 {
		t.Errorf("the silent client: got %q, %v; want the end", all, err)
	}
}

// Close ends handshakes under way.
func TestSecureListener_close(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	silent, err := net.Dial("tcp", w.secureDoor(t))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	w.eventually(t, "the connection", func(s intercept.Stats) bool { return s.Connections > 0 })
	_ = w.plugin.Close()
	_ = silent.SetReadDeadline(time.Now().Add(20 * time.Second))
	if all, err := io.ReadAll(silent); err != nil || len(all) > 0 {
		t.Errorf("got %q, %v; want the end", all, err)
	}
}

// Who speaks plain HTTP to a door that speaks TLS is told.
func TestSecureListener_plainHTTP(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	door := w.secureDoor(t)
	for _, text := range []string{"GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n\r\n", "CONNECT opened.net:443 HTTP/1.1\r\nHost: opened.net:443\r\n\r\n"} {
		c, err := net.Dial("tcp", door)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, text)
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if all, _ := io.ReadAll(c); !strings.HasPrefix(string(all), "HTTP/1.0 400 ") || !strings.Contains(string(all), "https://") {
			t.Errorf("got %q", all)
		}
	}
}
