package intercept_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/elazarl/goproxy"

	"autodiscover-guard/intercept"
)

// oldWays are the ways in for a client of HTTP/1.0, to opened.net.
var oldWays = []struct {
	name, target string
	dial         func(*testing.T, *lan) (net.Conn, error)
}{
	{"plain", "http://opened.net/", func(t *testing.T, n *lan) (net.Conn, error) { return n.hold(t), nil }},
	{"plain over TLS", "http://opened.net/", func(t *testing.T, n *lan) (net.Conn, error) {
		return dialTLS(n.secureDoor(t), &tls.Config{ServerName: "proxy.test", RootCAs: n.web.roots()})
	}},
	{"connect-80", "/", func(_ *testing.T, n *lan) (net.Conn, error) { return n.connect("opened.net:80") }},
	{"connect", "/", func(_ *testing.T, n *lan) (net.Conn, error) { return n.tls("opened.net:443", clientFor("opened.net")) }},
	{"transparent", "/", func(t *testing.T, n *lan) (net.Conn, error) {
		conn := tls.Client(n.dial(t, siteAddr+":443"), &tls.Config{ServerName: "opened.net", RootCAs: n.issuer.roots()})
		return conn, conn.HandshakeContext(t.Context())
	}},
	{"transparent-80", "/", func(t *testing.T, n *lan) (net.Conn, error) { return n.dial(t, siteAddr+":80"), nil }},
}

// A client of HTTP/1.0 takes the end of the connection for the end of the answer, so half an answer ends in a reset and without TLS's good-bye. Its slots are free then.
func TestTrap_truncatedBodyIsVisibleToOldClients(t *testing.T) {
	half := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
		w.(http.Flusher).Flush()
	}
	cut := func(w http.ResponseWriter, r *http.Request) {
		half(w, r)
		panic(http.ErrAbortHandler)
	}
	breaks := onResponse(func(resp *http.Response, _ *goproxy.ProxyCtx) *http.Response {
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader("hello"), crashing{}))
		return resp
	})
	for name, c := range map[string]struct {
		upstream http.HandlerFunc
		options  []option
		whole    bool
	}{"whole": {half, nil, true}, "cut": {cut, nil, false}, "a handler's body panics": {half, []option{breaks}, false}} {
		for _, way := range oldWays {
			t.Run(name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				n := newLAN(t, c.upstream, c.options...)
				conn, err := way.dial(t, n)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, "GET "+way.target+" HTTP/1.0\r\nHost: opened.net\r\n\r\n")
				got, err := io.ReadAll(conn)
				n.eventually(t, "the slots", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
				if c.whole {
					if err != nil || !strings.HasSuffix(string(got), "\r\n\r\nhello") {
						t.Errorf("got %q, %v", got, err)
					}
				} else if !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("got %q and then %v, want a reset", got, err)
				}
			})
		}
	}
}

// crashing is a body that breaks whoever reads it.
type crashing struct{}

func (crashing) Read([]byte) (int, error) { panic("boom") }

// In a tunnel that is a stream of an HTTP/2 connection, the stream is what is reset.
func TestStream_truncatedBodyIsVisibleToOldClients(t *testing.T) {
	for name, c := range map[string]struct {
		port string
		cut  bool
	}{"cut": {"80", true}, "cut in TLS": {"443", true}, "whole": {"80", false}, "whole in TLS": {"443", false}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "hello")
				w.(http.Flusher).Flush()
				if c.cut {
					panic(http.ErrAbortHandler)
				}
			})
			s, err := connectStream(t, w.h2(t, w.secureDoor(t)), "opened.net:"+c.port)
			if err != nil {
				t.Fatal(err)
			}
			var conn net.Conn = s
			if c.port == "443" {
				conn = tls.Client(s, &tls.Config{ServerName: "opened.net", RootCAs: w.issuer.roots()})
			}
			_, _ = io.WriteString(conn, "GET / HTTP/1.0\r\nHost: opened.net\r\n\r\n")
			if got, err := io.ReadAll(conn); err != nil || !strings.HasSuffix(string(got), "\r\n\r\nhello") {
				t.Errorf("got %q, %v", got, err)
			}
			_ = conn.Close()
			if err := await(t, s.ended); (err != nil) != c.cut {
				t.Errorf("the stream ended with %v", err)
			}
		})
	}
}
