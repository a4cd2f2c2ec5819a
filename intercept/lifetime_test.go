package intercept_test

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// A tunnel that has lived long enough ends, whatever runs in it, and its seat is free again.
func TestLifetime_tunnel(t *testing.T) {
	addr := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	w := newWorld(t, jsonAnswer("{}"), resolve(bank+":443", addr), func(c *intercept.Config, _ *proxyServer, _ *world) { c.Limits.Lifetime = 50 * time.Millisecond })
	c := w.hold(t)
	_, _ = io.WriteString(c, "CONNECT "+bank+":443 HTTP/1.1\r\nHost: x\r\n\r\n")
	answer(t, c, http.MethodConnect)
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	var err error
	for err == nil { // busy until the end
		if _, err = io.WriteString(c, "x"); err == nil {
			_, err = c.Read(make([]byte, 1))
		}
	}
	if e, ok := err.(net.Error); ok && e.Timeout() { //nolint:errorlint // as the connection returns it
		t.Fatal("the tunnel lives on")
	}
	w.eventually(t, "the seat", func(s intercept.Stats) bool { return s.Tunnels == 0 && s.RetiredTunnels == 1 })
}

// Other connections end behind an answer, which is whole.
func TestLifetime_connections(t *testing.T) {
	for name, url := range map[string]string{"plain": "http://opened.net/", "opened": "https://" + central + "/"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, jsonAnswer("{}"), func(c *intercept.Config, _ *proxyServer, _ *world) { c.Limits.Lifetime = 100 * time.Millisecond })
			client := w.client(false)
			end := time.Now().Add(20 * time.Second)
			for n := 0; ; n++ {
				got := send(t, client, request(t, http.MethodGet, url, ""))
				if got.StatusCode != http.StatusOK || got.body != "{}" {
					t.Fatalf("got %d %q", got.StatusCode, got.body)
				}
				if got.Close && n > 0 {
					return
				}
				if time.Now().After(end) {
					t.Fatal("the connection lives on")
				}
			}
		})
	}
}
