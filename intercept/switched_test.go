package intercept_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

const notHTTP = "autodiscover-guard: opened.net does not speak proper HTTP (protocol).\n"

// switching is an upstream that changes the protocol whatever it is asked, but for /second; gone hears of every such connection that ends.
func switching(t *testing.T, w func() *authority, grants string, gone chan<- struct{}) (plain, secure string) {
	t.Helper()
	serve := func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if req.URL.Path == "/second" {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond")
				continue
			}
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n"+grants+"\r\n")
			_, _ = io.Copy(io.Discard, r)
			gone <- struct{}{}
			return
		}
	}
	secure = listen(t, func(c net.Conn) {
		s := tls.Server(c, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return w().Leaf(hello.ServerName) }})
		defer s.Close()
		serve(s)
	})
	return listen(t, serve), secure
}

// A 101 that nobody asked for, or that grants something else, is told as what it is; the client's connection goes on, and upstream's ends.
func TestSwitched_unasked(t *testing.T) {
	const socket, other = "Connection: Upgrade\r\nUpgrade: websocket\r\n", "Connection: Upgrade\r\nUpgrade: foo\r\n"
	for name, c := range map[string]struct{ version, asks, grants string }{
		"not asked, another protocol":     {"HTTP/1.1", "\r\n", other},
		"not asked, a WebSocket":          {"HTTP/1.1", "\r\n", socket},
		"not asked, no protocol":          {"HTTP/1.1", "\r\n", ""},
		"a WebSocket, another protocol":   {"HTTP/1.1", socketAsk, other},
		"a WebSocket, no protocol":        {"HTTP/1.1", socketAsk, ""},
		"what is never passed on":         {"HTTP/1.1", other + "\r\n", other},
		"Upgrade without Connection":      {"HTTP/1.1", "Upgrade: websocket\r\n\r\n", socket},
		"HTTP/1.0, which has no upgrades": {"HTTP/1.0", "Connection: keep-alive\r\n" + socketAsk, socket},
	} {
		for _, way := range oldWays {
			t.Run(name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				var n *lan
				gone := make(chan struct{}, 1)
				plain, secure := switching(t, func() *authority { return n.web }, c.grants, gone)
				n = newLAN(t, nil, resolve("opened.net:80", plain), resolve("opened.net:443", secure), resolve(siteAddr+":80", plain), resolve(siteAddr+":443", secure))
				conn, err := way.dial(t, n)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, "GET "+way.target+" "+c.version+"\r\nHost: opened.net\r\n"+c.asks)
				got := answer(t, conn, http.MethodGet)
				if got.StatusCode != http.StatusBadGateway || got.body != notHTTP {
					t.Fatalf("got %s %q, want %q", got.Status, got.body, notHTTP)
				}
				await(t, gone)
				if got.Close {
					return
				}
				_, _ = io.WriteString(conn, "GET "+way.target+"second HTTP/1.1\r\nHost: opened.net\r\n\r\n")
				if got := answer(t, conn, http.MethodGet); got.body != "second" {
					t.Errorf("the next answer is %s %q", got.Status, got.body)
				}
			})
		}
	}
}

// HTTP/2 has no upgrades (RFC 9113, section 8.6), whatever upstream speaks.
func TestSwitched_toHTTP2(t *testing.T) {
	var w *world
	gone := make(chan struct{}, 1)
	_, secure := switching(t, func() *authority { return w.web }, "Connection: Upgrade\r\nUpgrade: websocket\r\n", gone)
	w = newWorld(t, nil, resolve("opened.net:443", secure))
	client := w.client(true)
	got := send(t, client, request(t, http.MethodGet, "https://opened.net/", ""))
	if got.ProtoMajor != 2 || got.StatusCode != http.StatusBadGateway || got.body != notHTTP {
		t.Fatalf("got %s %s %q", got.Proto, got.Status, got.body)
	}
	await(t, gone)
	if got := send(t, client, request(t, http.MethodGet, "https://opened.net/second", "")); got.body != "second" || !strings.HasPrefix(got.Proto, "HTTP/2") {
		t.Errorf("the next answer is %s %q", got.Status, got.body)
	}
}
