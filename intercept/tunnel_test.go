package intercept_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"autodiscover-guard/intercept"
)

// listen is an upstream that speaks what it likes.
func listen(tb testing.TB, serve func(net.Conn)) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	tb.Cleanup(func() {
		_ = l.Close()
		await(tb, done)
	})
	return l.Addr().String()
}

func resolve(from, to string) option {
	return func(c *intercept.Config, _ *proxyServer, _ *world) { c.Upstream.Resolve[from] = to }
}

func TestTunnel_aSiteKeepsItsOwnCertificate(t *testing.T) {
	w := newWorld(t, jsonAnswer("its own"))
	for _, h2 := range []bool{false, true} {
		got := send(t, w.client(h2), request(t, http.MethodGet, "https://"+bank+"/", ""))
		if got.body != "its own" || got.TLS.PeerCertificates[0].Issuer.CommonName != "web" {
			t.Errorf("got %q with a certificate of %q", got.body, got.TLS.PeerCertificates[0].Issuer.CommonName)
		}
	}
	if _, err := w.tls(bank+":443", &tls.Config{ServerName: bank, RootCAs: w.web.roots()}); err != nil {
		t.Errorf("a client that does not know the guard's authority: %v", err)
	}
}

// On mail ports the server speaks first (goproxy's MITM waits for the client's first byte, for ever), also for hosts that are opened on 443.
func TestTunnel_serverSpeaksFirst(t *testing.T) {
	const greeting = "* OK IMAP4rev1 ready\r\n"
	addr := listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, greeting)
		_, _ = io.Copy(c, c)
	})
	w := newWorld(t, jsonAnswer(""), resolve("imap.lab.test:993", addr))
	c, err := w.connect("imap.lab.test:993")
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if got, err := r.ReadString('\n'); got != greeting {
		t.Fatalf("got %q, %v", got, err)
	}
	_, _ = io.WriteString(c, "a logout\r\n")
	if got, err := r.ReadString('\n'); got != "a logout\r\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTunnel_halfCloseReachesTheOtherSide(t *testing.T) {
	addr := listen(t, func(c net.Conn) {
		all, _ := io.ReadAll(c) // ends only when the client's half is closed
		_, _ = fmt.Fprintf(c, "got %d", len(all))
	})
	w := newWorld(t, jsonAnswer(""), resolve(bank+":25", addr))
	c, err := dial(w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "CONNECT "+bank+":25 HTTP/1.1\r\nHost: "+bank+":25\r\n\r\nhello")
	_ = c.(*net.TCPConn).CloseWrite()
	all, err := io.ReadAll(c)
	if !strings.HasSuffix(string(all), "got 5") {
		t.Errorf("got %q, %v", all, err)
	}
}

func TestTunnel_earlyBytesAreReplayed(t *testing.T) {
	w := newWorld(t, jsonAnswer("whole"))
	// Into the hall, in one segment with the CONNECT request.
	got := w.early(t, central+":80", "GET / HTTP/1.1\r\nHost: "+central+"\r\n\r\n")
	if got.body != "whole" {
		t.Errorf("opened: got %q", got.body)
	}
	// Through goproxy's tunnel.
	got = w.early(t, bank+":80", "GET / HTTP/1.1\r\nHost: "+bank+"\r\nConnection: close\r\n\r\n")
	if got.body != "whole" {
		t.Errorf("tunnelled: got %q", got.body)
	}
	// A whole TLS handshake that does not wait for the 200.
	c, err := dial(w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	eager := &eagerConn{Conn: c, first: "CONNECT " + central + ":443 HTTP/1.1\r\nHost: " + central + ":443\r\n\r\n"}
	if err := tls.Client(eager, &tls.Config{ServerName: central, RootCAs: w.issuer.roots()}).HandshakeContext(t.Context()); err != nil {
		t.Errorf("TLS: %v", err)
	}
}

// early sends first in one write with the CONNECT request and reads the answer to first.
func (w *world) early(t *testing.T, target, first string) reply {
	t.Helper()
	c, err := dial(w.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, _ = io.WriteString(c, "CONNECT "+target+" HTTP/1.1\r\nHost: "+target+"\r\n\r\n"+first)
	answer(t, c, http.MethodConnect)
	return answer(t, c, http.MethodGet)
}

// eagerConn puts the CONNECT request before its first write and takes the answer away before its first read.
type eagerConn struct {
	net.Conn
	first string
	r     *bufio.Reader
}

func (c *eagerConn) Write(p []byte) (int, error) {
	if c.first != "" {
		p, c.first = append([]byte(c.first), p...), ""
		_, err := c.Conn.Write(p)
		return len(p), err
	}
	return c.Conn.Write(p)
}

func (c *eagerConn) Read(p []byte) (int, error) {
	if c.r == nil {
		c.r = bufio.NewReader(c.Conn)
		if _, err := http.ReadResponse(c.r, &http.Request{Method: http.MethodConnect}); err != nil {
			return 0, err
		}
	}
	return c.r.Read(p)
}

func TestTunnel_failureIsReadable(t *testing.T) {
	dead := listen(t, func(net.Conn) {})
	closed, _ := net.Listen("tcp", "127.0.0.1:0")
	_ = closed.Close()
	w := newWorld(t, jsonAnswer(""), resolve("dead.net:443", closed.Addr().String()), resolve("alive.net:443", dead))
	for target, want := range map[string]string{
		"dead.net:443":      "autodiscover-guard: dead.net does not accept the connection (connect).\n",
		"no.such.host.:443": "autodiscover-guard: no.such.host does not resolve to an address (dns).\n",
	} {
		_, err := w.connect(target)
		if err == nil || !strings.Contains(err.Error(), "502 Bad Gateway: "+want) {
			t.Errorf("%s: got %v, want 502 %q", target, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: the answer names an inner address: %v", target, err)
		}
	}
}

// An upstream that breaks an established tunnel must not have an error page of ours appended to what it said.
func TestTunnel_breakingItLaterSaysNothing(t *testing.T) {
	addr := listen(t, func(c net.Conn) {
		_, _ = io.ReadFull(c, make([]byte, 1)) // a reset before that can look like a connection that was never accepted
		_, _ = io.WriteString(c, "half")
		_ = c.(*net.TCPConn).SetLinger(0)
	})
	w := newWorld(t, jsonAnswer(""), resolve(bank+":25", addr))
	c, err := w.connect(bank + ":25")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "x")
	if all, _ := io.ReadAll(c); strings.Contains(string(all), "HTTP") || strings.Contains(string(all), "guard") {
		t.Errorf("got %q", all)
	}
}

// As the system's proxy, the guard finds itself in the environment. It must not dial itself.
func TestUpstream_environmentIsIgnored(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://127.0.0.1:1")
	}
	w := newWorld(t, jsonAnswer("reached"))
	for _, door := range doors {
		for _, host := range []string{bank, "opened.net"} {
			if got := send(t, door.client(w), request(t, http.MethodGet, door.scheme+"://"+host+"/", "")); got.body != "reached" {
				t.Errorf("%s %s: got %d %q", door.name, host, got.StatusCode, got.body)
			}
		}
	}
}

// A tunnel that stands holds on to nothing of the exchange that it began with: that would be six kilobytes for each, for as long as nobody says anything.
func TestTunnel_letsItsRequestGo(t *testing.T) {
	const at = "imap.lab.test:993"
	w := newWorld(t, jsonAnswer(""), resolve(at, listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })))
	kept := make(chan weak.Pointer[hijackableWriter], 1)
	outer := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		own := &hijackableWriter{rw, rw.(http.Hijacker)}
		kept <- weak.Make(own)
		w.server.Handler.ServeHTTP(own, r)
	}))
	t.Cleanup(func() { over(t, outer.Close) })
	w.addr = outer.Listener.Addr().String()
	c, err := w.connect(at)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := echo(c, "ping"); err != nil || got != "ping" {
		t.Fatalf("got %q, %v", got, err)
	}
	writer := await(t, kept)
	for end := time.Now().Add(10 * time.Second); writer.Value() != nil; runtime.GC() { // its handler may not have returned yet
		if time.Now().After(end) {
			t.Fatal("what net/http has of the request is still there")
		}
	}
	if got, err := echo(c, "pong"); err != nil || got != "pong" {
		t.Errorf("afterwards: got %q, %v", got, err)
	}
}

// hijackableWriter is what a program puts around the ResponseWriters of net/http.
type hijackableWriter struct {
	http.ResponseWriter
	http.Hijacker
}

func echo(c net.Conn, text string) (string, error) {
	if _, err := io.WriteString(c, text); err != nil {
		return "", err
	}
	answer := make([]byte, len(text))
	_, err := io.ReadFull(c, answer)
	return string(answer), err
}
