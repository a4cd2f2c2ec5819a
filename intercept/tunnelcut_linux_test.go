package intercept_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

var half = strings.Repeat("half of it ", 20<<10)

// breaks is a far side that breaks off when half of what was to come has arrived.
func breaks(c net.Conn) {
	_, _ = io.WriteString(c, half)
	_, _ = c.Read(make([]byte, 1)) // it has arrived
}

// hears is one that awaits the break of its client, and tells how its reads end.
func hears(c net.Conn, heard chan<- error) {
	_, err := io.CopyN(io.Discard, c, int64(len(half)))
	heard <- err
	_, err = c.Read(make([]byte, 1))
	heard <- err
}

// A side of a tunnel that breaks off breaks the other one off: half of what was to come does not look whole. All that came before arrives.
func TestTunnel_breaksOff(t *testing.T) {
	t.Parallel()
	heard := make(chan error, 1)
	far := listen(t, func(c net.Conn) {
		breaks(c)
		_ = c.(*net.TCPConn).SetLinger(0)
	})
	waits := listen(t, func(c net.Conn) { hears(c, heard) })
	n := newLAN(t, jsonAnswer(""), resolve(bank+":21", far), resolve(siteAddr+":21", far), resolve(bank+":22", waits), resolve(siteAddr+":22", waits),
		resolve(numberOf+":80", far), resolve(numberOf+":443", waits))
	n.breaksOff(t, heard)
}

// TLS to a proxy behind us has broken off where it ends without its good-bye.
func TestTunnel_breaksOffBehindAProxy(t *testing.T) {
	t.Parallel()
	heard := make(chan error, 1)
	u := &uplink{authority: newAuthority(t, "uplink")}
	cert, err := u.authority.sign(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	u.url = "https://" + listen(t, func(c net.Conn) {
		inside := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*cert}})
		r, err := http.ReadRequest(bufio.NewReaderSize(inside, 1))
		if err != nil {
			return
		}
		_, _ = io.WriteString(inside, "HTTP/1.1 200 OK\r\n\r\n")
		if port := r.URL.Port(); port == "21" || port == "80" {
			breaks(inside)
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, inside)
		} else {
			hears(inside, heard)
		}
	})
	n := newLAN(t, jsonAnswer(""), func(c *intercept.Config, _ *proxyServer, _ *world) {
		clear(c.Upstream.Resolve)
		c.Upstream.Proxy = u.url
		c.Upstream.Roots.AddCert(u.authority.cert)
	})
	n.breaksOff(t, heard)
}

// breaksOff goes every way to a far side that breaks off, at ports 21 and 80, and to one that waits for its client's break, at 22 and 443.
func (n *lan) breaksOff(t *testing.T, heard <-chan error) {
	t.Helper()
	secure := n.secureDoor(t)
	h2 := n.h2(t, secure)
	byAddress := map[string]string{":21": numberOf + ":80", ":22": numberOf + ":443"}
	for way, dial := range map[string]func(port string) (net.Conn, error){
		"connect":            func(port string) (net.Conn, error) { return n.connect(bank + port) },
		"connect by address": func(port string) (net.Conn, error) { return n.connect(byAddress[port]) },
		"transparent":        func(port string) (net.Conn, error) { return n.dial(t, siteAddr+port), nil },
		"over TLS": func(port string) (net.Conn, error) {
			c, err := dialTLS(secure, &tls.Config{ServerName: "proxy.test", RootCAs: n.web.roots(), NextProtos: []string{"http/1.1"}})
			if err == nil {
				_, _ = io.WriteString(c, "CONNECT "+bank+port+" HTTP/1.1\r\nHost: "+bank+port+"\r\n\r\n")
				var status [39]byte
				_, err = io.ReadFull(c, status[:])
			}
			return c, err
		},
		"stream":            func(port string) (net.Conn, error) { return connectStream(t, h2, bank+port) },
		"stream by address": func(port string) (net.Conn, error) { return connectStream(t, h2, byAddress[port]) },
	} {
		c, err := dial(":21")
		if err != nil {
			t.Fatal(way, err)
		}
		got := make([]byte, len(half))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != half {
			t.Errorf("%s: %v", way, err)
		}
		_, _ = c.Write([]byte("x"))
		rest, err := io.ReadAll(c)
		if s, ok := c.(*stream); ok && err == nil {
			err = await(t, s.ended)
		} else if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: ended with %v, want a reset", way, err)
		}
		if len(rest) > 0 || err == nil {
			t.Errorf("%s: got %d bytes more and then %v", way, len(rest), err)
		}
		_ = c.Close()
		if c, err = dial(":22"); err != nil {
			t.Fatal(way, err)
		}
		_, _ = io.WriteString(c, half)
		if err := await(t, heard); err != nil {
			t.Errorf("%s: the far side: %v", way, err)
		}
		if s, ok := c.(*stream); ok {
			s.reset()
		} else {
			resetting(c)
		}
		if err := await(t, heard); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: the far side got %v, want a reset", way, err)
		}
	}
	n.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Tunnels == 0 })
}
