package intercept_test

import (
	"crypto/tls"
	"errors"
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

// A plugin that stops before its server is no failure of the listener: the server would tell of one, and its program end badly.
func TestSecureListener_outlivesThePlugin(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.web.Leaf("proxy.test") }}
	server := &http.Server{Handler: w.server.Handler, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(w.plugin.SecureListener(l, config)) }()
	for range 2 { // the second is taken in, and let go again, by a plugin that has stopped
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "GET http://opened.net/ HTTP/1.1\r\n\r\n") // no TLS: the answer says so
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.ReadAll(c)
		_ = w.plugin.Close()
	}
	_ = server.Close()
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve: got %v", err)
	}
}

// Who was in the middle of the handshake when the listener below was closed is given on before the end is: see Plugin.Shutdown, whose caller closes it first.
func TestSecureListener_closedBelow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, jsonAnswer("{}"))
	below, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := w.plugin.SecureListener(below, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.web.Leaf("proxy.test") }})
	defer l.Close()
	type accepted struct {
		conn net.Conn
		err  error
	}
	results := make(chan accepted, 2)
	go func() {
		for range 2 {
			c, err := l.Accept()
			results <- accepted{c, err}
		}
	}()
	c, err := net.Dial("tcp", below.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w.eventually(t, "the connection", func(s intercept.Stats) bool { return s.Connections > 0 })
	_ = below.Close()
	if err := tls.Client(c, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(t.Context()); err != nil {
		t.Errorf("handshake: %v", err)
	}
	if got := <-results; got.err != nil {
		t.Errorf("first: %v; want the connection", got.err)
	} else {
		defer got.conn.Close()
	}
	if got := <-results; !errors.Is(got.err, net.ErrClosed) {
		t.Errorf("then: %v, %v; want the end", got.conn, got.err)
	}
}
