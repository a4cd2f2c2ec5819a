package intercept_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// halfWays are the ways to opened.net at port 80 or 443 on which a client can end its side, by the target of its request.
func halfWays(t *testing.T, n *lan) map[string]func() (net.Conn, string, error) {
	t.Helper()
	secure := n.secureDoor(t)
	h2 := n.h2(t, secure)
	stream := func(target string) func() (net.Conn, string, error) {
		return func() (net.Conn, string, error) { c, err := connectStream(t, h2, target); return c, "", err }
	}
	tunnel := func(target string) func() (net.Conn, string, error) {
		return func() (net.Conn, string, error) {
			c, err := n.connect(target)
			if err != nil {
				return nil, "", err
			}
			return halfCloser{c}, "", nil
		}
	}
	return map[string]func() (net.Conn, string, error){
		"plain": func() (net.Conn, string, error) { return n.hold(t), "http://opened.net", nil },
		"plain over TLS": func() (net.Conn, string, error) {
			c, err := dialTLS(secure, &tls.Config{ServerName: "proxy.test", RootCAs: n.web.roots()})
			return c, "http://opened.net", err
		},
		"port 80": tunnel("opened.net:80"), "by address": tunnel(numberOf + ":80"), "not opened": tunnel(bank + ":80"),
		"opened": func() (net.Conn, string, error) {
			c, err := n.tls("opened.net:443", clientFor("opened.net"))
			return c, "", err
		},
		"transparent": func() (net.Conn, string, error) { return n.dial(t, siteAddr+":80"), "", nil },
		"transparent TLS": func() (net.Conn, string, error) {
			c := tls.Client(n.dial(t, siteAddr+":443"), &tls.Config{ServerName: "opened.net", RootCAs: n.issuer.roots()})
			return c, "", c.HandshakeContext(t.Context())
		},
		"stream": stream("opened.net:80"), "stream by address": stream(numberOf + ":80"), "stream not opened": stream(bank + ":80"),
		"stream with TLS": func() (net.Conn, string, error) {
			s, err := connectStream(t, h2, "opened.net:443")
			if err != nil {
				return nil, "", err
			}
			c := tls.Client(s, &tls.Config{ServerName: "opened.net", RootCAs: n.issuer.roots()})
			return c, "", c.HandshakeContext(t.Context())
		},
	}
}

// halfCloser closes half of a tunnel's connection.
type halfCloser struct{ net.Conn }

func (c halfCloser) CloseWrite() error { return c.Conn.(*peeked).Conn.(*net.TCPConn).CloseWrite() }

// A client that ends its side behind its request, as nc -N does, gets its answer; to net/http it has gone away.
func TestLastWord_answered(t *testing.T) {
	t.Parallel()
	n := newLAN(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		select { // long enough for the news of a departure
		case <-r.Context().Done():
		case <-time.After(30 * time.Millisecond):
		}
		_, _ = io.WriteString(w, "answer "+string(body))
	}, func(_ *intercept.Config, _ *proxyServer, w *world) { w.patience = time.Minute })
	for way, dial := range halfWays(t, n) {
		for text, want := range map[string]string{
			"GET %/ HTTP/1.1\r\nHost: opened.net\r\n\r\n":                               "answer ",
			"POST %/ HTTP/1.0\r\nHost: opened.net\r\nContent-Length: 4\r\n\r\npost\r\n": "answer post",
		} {
			c, at, err := dial()
			if err != nil {
				t.Fatal(way, err)
			}
			_, _ = io.WriteString(c, strings.ReplaceAll(text, "%", at))
			_ = c.(interface{ CloseWrite() error }).CloseWrite()
			if all, err := io.ReadAll(c); !strings.Contains(string(all), " 200 OK\r\n") || !strings.HasSuffix(string(all), want) || err != nil {
				t.Errorf("%s: got %q, %v, want %q", way, all, err, want)
			}
			_ = c.Close()
		}
	}
	n.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Tunnels == 0 })
}

// awaitsDeparture is an upstream that answers nobody, and tells who has asked and who has left.
func awaitsDeparture() (h http.HandlerFunc, asked, left chan struct{}) {
	asked, left = make(chan struct{}, 8), make(chan struct{}, 8)
	return func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
	}, asked, left
}

// TLS that ends without its good-bye is a departure, also where no record was begun, and nobody is waited for.
func TestLastWord_withoutGoodbye(t *testing.T) {
	t.Parallel()
	upstream, asked, left := awaitsDeparture()
	n := newLAN(t, upstream, func(_ *intercept.Config, _ *proxyServer, w *world) { w.patience = time.Minute })
	for way, dial := range halfWays(t, n) {
		if !strings.Contains(way, "TLS") && way != "opened" {
			continue
		}
		c, at, err := dial()
		if err != nil {
			t.Fatal(way, err)
		}
		_, _ = io.WriteString(c, "GET "+at+"/ HTTP/1.1\r\nHost: opened.net\r\n\r\n")
		await(t, asked)
		below := c.(*tls.Conn).NetConn()
		if p, ok := below.(*peeked); ok {
			below = p.Conn
		}
		_ = below.(interface{ CloseWrite() error }).CloseWrite()
		await(t, left)
		_ = c.Close()
	}
}

// A connection that is cut off because it has lived too long ends at once, although its client has ended its side.
func TestLastWord_retired(t *testing.T) {
	t.Parallel()
	upstream, asked, left := awaitsDeparture()
	n := newLAN(t, upstream, limits(intercept.Limits{Lifetime: time.Second}), func(_ *intercept.Config, _ *proxyServer, w *world) { w.patience = time.Minute })
	under := 0
	for way, dial := range halfWays(t, n) {
		if !strings.Contains(way, "plain") && way != "opened" && way != "transparent TLS" { // the others are tunnels in which nothing is known of the connection
			continue
		}
		c, at, err := dial()
		if err != nil {
			t.Fatal(way, err)
		}
		_, _ = io.WriteString(c, "GET "+at+"/ HTTP/1.1\r\nHost: opened.net\r\n\r\n")
		await(t, asked)
		_ = c.(interface{ CloseWrite() error }).CloseWrite()
		under++
	}
	for ; under > 0; under-- {
		await(t, left)
	}
}
