package intercept_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// A client that says nothing holds nobody else up, and is let go.
func TestSecureListener_silentClient(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"), limits(intercept.Limits{Handshake: 300 * time.Millisecond}))
	door := w.secureDoor(t)
	silent, err := dial(door)
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
	silent, err := dial(w.secureDoor(t))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	w.eventually(t, "the connection", func(s intercept.Stats) bool { return s.Connections > 0 })
	_ = w.plugin.Close()
	if all, err := io.ReadAll(silent); err != nil || len(all) > 0 {
		t.Errorf("got %q, %v; want the end", all, err)
	}
}

// Who speaks plain HTTP to a door that speaks TLS is told, who speaks neither is not; and nobody takes up a place for longer than it takes to listen.
func TestSecureListener_plainHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, jsonAnswer("{}"), limits(intercept.Limits{Handshake: time.Minute}))
	door := w.secureDoor(t)
	for text, status := range map[string]string{
		"GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n\r\n":     "HTTP/1.0 400 ",
		"CONNECT opened.net:443 HTTP/1.1\r\nHost: opened.net:443\r\n\r\n": "HTTP/1.0 400 ",
		"\x16\x03\x01\x00\x04\x01\x00\x00\x00":                            "\x15\x03\x01\x00\x02", // an alert
		"\x05\x01\x00 of SOCKS":                                           "",
	} {
		c, err := dial(door)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, text)
		if all, _ := io.ReadAll(c); !strings.HasPrefix(string(all), status) || strings.Contains(string(all), "https://") != strings.HasPrefix(status, "HTTP") {
			t.Errorf("%q: got %q", text, all)
		}
	}
	w.eventually(t, "the end", func(s intercept.Stats) bool { return s.Connections == 0 })
}

// What fails in a handshake by a bug ends that connection, and nothing else. A door that has HTTP/2 has HTTP/1.1, too.
func TestSecureListener_panic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, jsonAnswer("{}"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	door := w.plugin.SecureListener(l, &tls.Config{NextProtos: []string{"h2"}, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName == "" {
			panic("boom")
		}
		return w.web.Leaf("proxy.test")
	}})
	go func() {
		if c, err := door.Accept(); err == nil {
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}
	}()
	shake := func(name string) (*tls.Conn, error) {
		c, err := dial(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		client := tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		return client, client.HandshakeContext(t.Context())
	}
	if _, err := shake(""); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end", err)
	}
	w.told("recovered from a panic")
	if c, err := shake("proxy.test"); err != nil || c.ConnectionState().NegotiatedProtocol != "http/1.1" {
		t.Errorf("the next one: %v", err)
	}
	_ = door.Close()
}

// Close ends what is in the middle of its handshake, and what has it behind it and was not accepted.
func TestSecureListener_closed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, jsonAnswer("{}"), limits(intercept.Limits{Handshake: time.Minute}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	door := w.plugin.SecureListener(l, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.web.Leaf("proxy.test") }})
	dial := func() net.Conn {
		c, err := dial(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	accepted := tls.Client(dial(), &tls.Config{InsecureSkipVerify: true})
	go func() { _ = accepted.HandshakeContext(t.Context()) }()
	c, err := door.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	silent, shaken := dial(), tls.Client(dial(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}) // of which the server has the last word
	if err := shaken.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.eventually(t, "all", func(s intercept.Stats) bool { return s.Connections == 3 })
	_ = door.Close()
	if _, err := door.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	for name, c := range map[string]net.Conn{"silent": silent, "shaken": shaken} {
		if n, err := c.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %d bytes, %v; want the end", name, n, err)
		}
	}
	w.eventually(t, "the end", func(s intercept.Stats) bool { return s.Connections == 1 })
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
		c, err := dial(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "GET http://opened.net/ HTTP/1.1\r\n\r\n") // no TLS: the answer says so
		_, _ = io.ReadAll(c)
		_ = w.plugin.Close()
	}
	_ = server.Close()
	if err := await(t, ended); !errors.Is(err, http.ErrServerClosed) {
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
	c, err := dial(below.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w.eventually(t, "the connection", func(s intercept.Stats) bool { return s.Connections > 0 })
	_ = below.Close()
	if err := tls.Client(c, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(t.Context()); err != nil {
		t.Errorf("handshake: %v", err)
	}
	if got := await(t, results); got.err != nil {
		t.Errorf("first: %v; want the connection", got.err)
	} else {
		defer got.conn.Close()
	}
	if got := await(t, results); !errors.Is(got.err, net.ErrClosed) {
		t.Errorf("then: %v, %v; want the end", got.conn, got.err)
	}
}
