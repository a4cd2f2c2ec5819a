package intercept_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// late is a connection to the transparent door that has said nothing until its address was dialled, which is when nobody waits for its first word any more.
func (n *lan) late(t *testing.T, to string, dialled <-chan struct{}) net.Conn {
	t.Helper()
	c := n.dial(t, to)
	select {
	case <-dialled:
	case <-time.After(enough()):
		_ = c.Close() // a transport's goroutine may not end the test, and nobody gets an answer here
	}
	return c
}

// Who connects before there is anything to ask is guarded all the same, when there is.
func TestTransparent_opensLateDiscovery(t *testing.T) {
	t.Parallel()
	for port, c := range map[string]struct{ scheme, door string }{"443": {"https", "transparent"}, "80": {"http", "transparent-plain"}} {
		t.Run(port, func(t *testing.T) {
			t.Parallel()
			dialled, said := make(chan struct{}, 1), make(chan int, 1)
			address := listen(t, func(c net.Conn) {
				dialled <- struct{}{}
				n, _ := c.Read(make([]byte, 1))
				said <- n
			})
			w := newLAN(t, jsonAnswer(suggest("email@example.com", stranger)), resolve(siteAddr+":"+port, address))
			client := w.client(false)
			client.Proxy = nil
			client.DialContext = func(context.Context, string, string) (net.Conn, error) {
				return w.late(t, siteAddr+":"+port, dialled), nil
			}
			for n := range 2 { // on one connection
				if got := send(t, client, ask(t, c.scheme, "email@example.com")); got.body != suggest("email@example.com") {
					t.Fatalf("got %d %q", got.StatusCode, got.body)
				}
				if record := w.decision(n + 1); record["host"] != central || record["action"] != "refuse" || record["client"] != "127.0.0.1" || record["door"] != c.door {
					t.Errorf("got %v", record)
				}
			}
			if n := await(t, said); n != 0 {
				t.Errorf("the address heard %d bytes", n)
			}
			client.CloseIdleConnections()
			w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
		})
	}
}

// In the clear each request says which host is meant, as if the first had been in time.
func TestTransparent_lateHosts(t *testing.T) {
	t.Parallel()
	dialled := make(chan struct{}, 1)
	address := listen(t, func(c net.Conn) {
		dialled <- struct{}{}
		_, _ = c.Read(make([]byte, 1))
	})
	s := &spy{next: jsonAnswer("{}")}
	w := newLAN(t, s.handle, resolve(siteAddr+":80", address))
	conn := w.late(t, siteAddr+":80", dialled)
	for _, host := range []string{"opened.net", labHost, central} {
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
		if got := answer(t, conn, http.MethodGet); got.StatusCode != http.StatusOK || got.body != "{}" || !strings.Contains(s.heard(), "Host: "+host+"\r\n") {
			t.Errorf("%s: got %d %q; upstream got\n%s", host, got.StatusCode, got.body, s.heard())
		}
	}
}

// What is not to be opened arrives as it was sent, however late.
func TestTransparent_tunnelsTheLate(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"443": string(hello(bank)) + "and more", "80": "\x00\x01\x02\x03", "80, by a proxy of its own": "CONNECT " + bank + ":443 HTTP/1.1\r\n\r\n", "993": string(hello(central)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port, _, _ := strings.Cut(name, ",")
			dialled, heard := make(chan struct{}, 1), make(chan []byte, 1)
			sink := listen(t, func(c net.Conn) {
				dialled <- struct{}{}
				all, _ := io.ReadAll(c)
				heard <- all
				_, _ = io.WriteString(c, "answer")
			})
			w := newLAN(t, jsonAnswer(""), resolve(siteAddr+":"+port, sink))
			conn := w.late(t, siteAddr+":"+port, dialled)
			_, _ = io.WriteString(conn, text)
			_ = conn.(*net.TCPConn).CloseWrite()
			if got := await(t, heard); !bytes.Equal(got, []byte(text)) {
				t.Errorf("the address got %q, want %q", got, text)
			}
			if got, err := io.ReadAll(conn); string(got) != "answer" || err != nil {
				t.Errorf("the client got %q, %v", got, err)
			}
			w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
		})
	}
}

// Hosts that are never dialled are not there for the late, either.
func TestTransparent_shunsTheLate(t *testing.T) {
	t.Parallel()
	dialled := make(chan struct{}, 1)
	address := listen(t, func(c net.Conn) {
		dialled <- struct{}{}
		_, _ = c.Read(make([]byte, 1))
	})
	w := newLAN(t, jsonAnswer(""), resolve(siteAddr+":443", address))
	err := tls.Client(w.late(t, siteAddr+":443", dialled), clientFor("autodiscover.com")).HandshakeContext(t.Context())
	if err == nil || err.Error() != "remote error: tls: unrecognized name" {
		t.Fatalf("got %v, want the alert unrecognized_name", err)
	}
	if record := w.decision(1); record["host"] != "autodiscover.com:443" || record["door"] != "transparent" {
		t.Errorf("got %v", record)
	}
}
