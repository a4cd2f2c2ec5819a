package intercept_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// A client that was kept from a host does not get to its mail ports by an address, on any of them: one that it was told, or one of a name that it
// was told. Where it says which host it means, as TLS does, the name counts: hosts share addresses.
func TestTransparent_quarantine(t *testing.T) {
	const told, carrying = "192.0.2.77", "64:ff9b::c000:20a" // NAT64's spelling of siteAddr
	echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	options := []option{resolve(stranger, siteAddr), clients("127.0.0.0/8")}
	for _, port := range []string{"25", "110", "143", "465", "587", "993", "995", "4190", "2525"} {
		for _, addr := range []string{siteAddr, otherAddr, told, "127.0.0.1", "[" + carrying + "]"} {
			options = append(options, resolve(addr+":"+port, echo))
		}
	}
	options = append(options, resolve(otherAddr+":80", echo))
	var now atomic.Int64
	now.Store(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC).Unix())
	options = append(options, func(c *intercept.Config, _ *proxyServer, _ *world) {
		c.Clock = func() time.Time { return time.Unix(now.Load(), 0) }
	})
	w := newLAN(t, jsonAnswer(suggest("email@example.com", stranger, told)), options...)
	hello := func(name string) string {
		near, far := net.Pipe()
		defer near.Close()
		go func() {
			defer far.Close()
			_ = tls.Client(far, clientFor(name)).HandshakeContext(t.Context())
		}()
		first := make([]byte, 4096)
		n, _ := near.Read(first)
		return string(first[:n])
	}
	open := func(to, text string) bool {
		t.Helper()
		c := w.dial(t, to)
		defer c.Close()
		_, _ = io.WriteString(c, text)
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		got := make([]byte, len(text))
		n, err := io.ReadFull(c, got)
		if err != nil && (n > 0 || strings.Contains(err.Error(), "timeout")) {
			t.Errorf("%s: got %q, %v", to, got[:n], err)
		}
		return string(got) == text
	}
	type attempt struct {
		to, text string
		shut     bool
	}
	attempts := map[string]attempt{
		"TLS that names another host at its address": {siteAddr + ":993", hello("imap.lab.test"), false},
		"TLS that names what is no host":             {siteAddr + ":993", hello("x..y"), true},
		"TLS to an address that it was told":         {told + ":993", hello("imap.lab.test"), true},
		"another address":                            {otherAddr + ":143", "a", false},
		"a port of no mail":                          {siteAddr + ":2525", "a", false},
		"where Upstream.Resolve has an address":      {"127.0.0.1:143", "a", true},
		"NAT64":                                      {"[" + carrying + "]:143", "a", true},
		"a name, by the client's own proxy":          {otherAddr + ":80", "CONNECT " + stranger + ":993 HTTP/1.1\r\n\r\n", true},
		"an address, by the client's own proxy":      {otherAddr + ":80", "CONNECT " + siteAddr + ":143 HTTP/1.1\r\n\r\n", true},
	}
	for _, port := range []string{"25", "110", "143", "465", "587", "993", "995", "4190"} {
		attempts["a name's address, port "+port] = attempt{siteAddr + ":" + port, "no TLS", true}
		attempts["an address, port "+port] = attempt{told + ":" + port, "no TLS", true}
	}
	for _, port := range []string{"465", "993", "995"} {
		attempts["TLS that names the host, port "+port] = attempt{otherAddr + ":" + port, hello(stranger), true}
	}
	for name, a := range attempts {
		if !open(a.to, a.text) {
			t.Errorf("before, %s: shut", name)
		}
	}
	send(t, w.client(true), ask(t, "https", "email@example.com"))
	shut := int64(0)
	for name, a := range attempts {
		if got := !open(a.to, a.text); got != a.shut {
			t.Errorf("%s: got shut %v, want %v", name, got, a.shut)
		}
		if a.shut {
			shut++
		}
	}
	if n := w.plugin.Stats().RefusedQuarantine; n != shut {
		t.Errorf("got %d, want %d", n, shut)
	}
	if _, err := w.connect(siteAddr + ":143"); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("CONNECT to the address: got %v, want a 403", err)
	}
	now.Add(10 * 60)
	for name, a := range attempts {
		if !open(a.to, a.text) {
			t.Errorf("after 10 minutes, %s: shut", name)
		}
	}
}

// It is the client that was kept from the host, and nobody else, who does not reach its address.
func TestTransparent_quarantineOfOthers(t *testing.T) {
	echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	w := newLAN(t, jsonAnswer(suggest("email@example.com", stranger)), resolve(stranger, siteAddr), resolve(siteAddr+":143", echo), clients("127.0.0.0/8"))
	send(t, w.client(true), ask(t, "https", "email@example.com"))
	at := netip.MustParseAddrPort(siteAddr + ":143")
	w.to.Store(&at)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	c, err := d.DialContext(t.Context(), "tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	echoes(t, c, c)
}
