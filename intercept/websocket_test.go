package intercept_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
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
	cases := map[string]struct {
		line string
		dial func() (net.Conn, error)
	}{
		"plain":   {"GET http://opened.net/socket", func() (net.Conn, error) { return net.Dial("tcp", w.addr) }},
		"opened":  {"GET /socket", func() (net.Conn, error) { return w.tls("opened.net:443", clientFor("opened.net")) }},
		"port 80": {"GET /socket", func() (net.Conn, error) { return w.connect("opened.net:80") }},
		"tunnel": {"GET /socket", func() (net.Conn, error) {
			return w.tls(bank+":443", &tls.Config{ServerName: bank, RootCAs: w.web.roots()})
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			conn, err := c.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			host := "opened.net"
			if name == "tunnel" {
				host = bank
			}
			// The first frame comes in one write with the handshake.
			_, _ = io.WriteString(conn, c.line+" HTTP/1.1\r\nHost: "+host+"\r\n"+socketAsk+"hello")
			r := bufio.NewReader(conn)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("got %s", resp.Status)
			}
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
