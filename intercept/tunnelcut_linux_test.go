package intercept_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"autodiscover-guard/intercept"
)

// A side of a tunnel that breaks off breaks the other one off: half of what was to come does not look whole. All that came before arrives.
func TestTunnel_breaksOff(t *testing.T) {
	t.Parallel()
	half := strings.Repeat("half of it ", 20<<10)
	heard := make(chan error, 1)
	far := listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, half)
		_, _ = c.Read(make([]byte, 1)) // it has arrived
		_ = c.(*net.TCPConn).SetLinger(0)
	})
	waits := listen(t, func(c net.Conn) {
		_, err := io.CopyN(io.Discard, c, int64(len(half)))
		heard <- err
		_, err = c.Read(make([]byte, 1))
		heard <- err
	})
	n := newLAN(t, jsonAnswer(""), resolve(bank+":21", far), resolve(siteAddr+":21", far), resolve(bank+":22", waits), resolve(siteAddr+":22", waits),
		resolve(numberOf+":80", far))
	secure := n.secureDoor(t)
	h2 := n.h2(t, secure)
	for way, dial := range map[string]func(port string) (net.Conn, error){
		"connect":     func(port string) (net.Conn, error) { return n.connect(bank + port) },
		"transparent": func(port string) (net.Conn, error) { return n.dial(t, siteAddr+port), nil },
		"over TLS": func(port string) (net.Conn, error) {
			c, err := dialTLS(secure, &tls.Config{ServerName: "proxy.test", RootCAs: n.web.roots(), NextProtos: []string{"http/1.1"}})
			if err == nil {
				_, _ = io.WriteString(c, "CONNECT "+bank+port+" HTTP/1.1\r\nHost: "+bank+port+"\r\n\r\n")
				var status [39]byte
				_, err = io.ReadFull(c, status[:])
			}
			return c, err
		},
		"stream": func(port string) (net.Conn, error) { return connectStream(t, h2, bank+port) },
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
