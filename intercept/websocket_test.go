package intercept_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// echoSocket accepts any WebSocket handshake and then echoes bytes.
func echoSocket(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" {
		w.WriteHeader(http.StatusUpgradeRequired)
		return
	}
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
	_, _ = io.CopyN(c, rw, 5)
}

const socketAsk = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"

func TestWebSocket_throughTheGuard(t *testing.T) {
	w := newWorld(t, echoSocket)
	opened := func(host string) func() (net.Conn, error) {
		return func() (net.Conn, error) { return w.tls(host+":443", clientFor(host)) }
	}
	cases := map[string]struct {
		line, host string
		dial       func() (net.Conn, error)
		late       bool // the first frame comes when the server has agreed; else in one write with the handshake
	}{
		"plain":            {"GET http://opened.net/socket", "opened.net", func() (net.Conn, error) { return dial(w.addr) }, false},
		"opened":           {"GET /socket", "opened.net", opened("opened.net"), false},
		"opened, guarded":  {"GET /socket", "example.com", opened("example.com"), false},
		"guarded and late": {"GET /socket", "example.com", opened("example.com"), true},
		"port 80":          {"GET /socket", "opened.net", func() (net.Conn, error) { return w.connect("opened.net:80") }, false},
		"tunnel": {"GET /socket", bank, func() (net.Conn, error) {
			return w.tls(bank+":443", &tls.Config{ServerName: bank, RootCAs: w.web.roots()})
		}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			conn, err := c.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			first, second := "hello", ""
			if c.late {
				first, second = second, first
			}
			_, _ = io.WriteString(conn, c.line+" HTTP/1.1\r\nHost: "+c.host+"\r\n"+socketAsk+first)
			r := bufio.NewReader(conn)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("got %s", resp.Status)
			}
			_, _ = io.WriteString(conn, second)
			// Upstream closes after five bytes; the guard must close the client's side, which goproxy leaves open.
			if got, err := io.ReadAll(r); string(got) != "hello" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// A discovery request is no WebSocket, whatever it says.
func TestWebSocket_notForDiscovery(t *testing.T) {
	w := newWorld(t, echoSocket)
	conn, err := w.tls(central+":443", clientFor(central))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "GET "+detect+" HTTP/1.1\r\nHost: "+central+"\r\n"+socketAsk)
	if got := answer(t, conn, http.MethodGet); got.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("got %s, want upstream's answer to a request without Upgrade", got.Status)
	}
	if record := w.decision(1); record["status"] != int64(http.StatusUpgradeRequired) {
		t.Errorf("got %v", record)
	}
}

// Neither is a request with a body, which would be read on beside what comes in its place.
func TestWebSocket_notBesideABody(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			echoSocket(w, r)
			return
		}
		taken(func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		})(w, r)
	})
	overHTTP1(w)
	for way, dial := range pollWays(t, w) {
		for _, head := range []string{"Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n"} {
			c, at, err := dial()
			if err != nil {
				t.Fatal(way, err)
			}
			_, _ = io.WriteString(c, "GET "+at+"/socket HTTP/1.1\r\nHost: opened.net\r\n"+head+socketAsk)
			if got := answer(t, c, http.MethodGet); got.StatusCode != http.StatusUpgradeRequired {
				t.Errorf("%s, %q: got %s, want upstream's answer to a request without Upgrade", way, head, got.Status)
			}
			_ = c.Close()
		}
	}
}

// A WebSocket's server that neither reads nor speaks does not keep what the guard has cut off on the client's side: the far end is closed with the near one,
// whatever goproxy is stuck in, and nothing of it is left.
func TestWebSocket_farSideEndsWithTheNear(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*testing.T, *world, net.Conn){
		"lifetime": func(*testing.T, *world, net.Conn) {},
		"stop": func(t *testing.T, w *world, _ net.Conn) {
			t.Helper()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = w.plugin.Shutdown(ctx)
		},
		"reset": func(_ *testing.T, _ *world, c net.Conn) {
			if inside, ok := c.(*tls.Conn); ok {
				c = inside.NetConn()
			}
			if p, ok := c.(*peeked); ok {
				c = p.Conn
			}
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		},
	}
	for end, cut := range ends {
		for name, dial := range map[string]func(*world) (net.Conn, error){
			"plain":  func(w *world) (net.Conn, error) { return dial(w.addr) },
			"opened": func(w *world) (net.Conn, error) { return w.tls("opened.net:443", clientFor("opened.net")) },
		} {
			t.Run(end+"/"+name, func(t *testing.T) {
				stuck := make(chan struct{})
				defer close(stuck)
				w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
					c, _, err := http.NewResponseController(w).Hijack()
					if err != nil {
						return
					}
					defer c.Close()
					_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
					<-stuck
				}, func(c *intercept.Config, _ *proxyServer, _ *world) {
					switch end {
					case "lifetime":
						c.Limits.Lifetime = time.Second
					case "reset":
						c.Limits.Stall = time.Second
					}
				})
				conn, err := dial(w)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, "GET http"+map[string]string{"plain": "", "opened": "s"}[name]+"://opened.net/socket HTTP/1.1\r\nHost: opened.net\r\n"+socketAsk)
				if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
					t.Fatalf("got %v, %v", resp, err)
				}
				_ = conn.SetWriteDeadline(time.Now().Add(500 * time.Millisecond)) // until nothing more goes in
				for err := error(nil); err == nil; _, err = conn.Write(make([]byte, 64<<10)) {
				}
				cut(t, w, conn)
				w.eventually(t, "goproxy", func(intercept.Stats) bool { return !running("proxyWebsocket") })
			})
		}
	}
}
