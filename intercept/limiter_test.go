package intercept_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

func prefixes(texts ...string) []netip.Prefix {
	if texts == nil {
		return nil
	}
	out := []netip.Prefix{}
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

func clients(texts ...string) option {
	return func(c *intercept.Config, _ *proxyServer, _ *world) { c.Clients = prefixes(texts...) }
}

// eventually waits for a figure that follows a close at the other end.
func (w *world) eventually(tb testing.TB, what string, reached func(intercept.Stats) bool) {
	tb.Helper()
	end, tick := time.After(enough()), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !reached(w.plugin.Stats()) {
		select {
		case <-tick.C:
		case <-end:
			vain(tb, "%s: got %+v", what, w.plugin.Stats())
		}
	}
}

// Strangers are told so at the explicit door, whatever they ask for, and nobody is dialled for them.
func TestClients_strangersAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"plain":   "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n\r\n",
		"opened":  "CONNECT " + central + ":443 HTTP/1.1\r\nHost: " + central + ":443\r\n\r\n",
		"tunnel":  "CONNECT " + bank + ":443 HTTP/1.1\r\nHost: " + bank + ":443\r\n\r\n",
		"page":    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"garbage": "EHLO example.org\r\n",
	} {
		for _, gate := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				s := &spy{next: jsonAnswer("{}")}
				w := newWorld(t, s.handle, clients("192.0.2.0/24"), func(_ *intercept.Config, _ *proxyServer, w *world) { w.noGate = !gate })
				if name == "garbage" && !gate {
					return // net/http's to answer
				}
				got := w.raw(t, text)
				if got.StatusCode != http.StatusForbidden || !strings.Contains(got.body, "may not use the proxy") || !got.Close {
					t.Errorf("gate %v: got %s %q, close %v; want a readable 403", gate, got.Status, got.body, got.Close)
				}
				if n := w.plugin.Stats().RefusedClients; n != 1 {
					t.Errorf("gate %v: got %d refused clients, want 1", gate, n)
				}
				if s.asked.Load() != 0 || w.decisions.Len() != 0 {
					t.Error("a stranger's request went on")
				}
			})
		}
	}
}

func TestClients_ranges(t *testing.T) {
	for name, c := range map[string]struct {
		ranges []string
		status int
	}{
		"nothing said": {nil, 200},
		"loopback":     {[]string{"127.0.0.1/32"}, 200},
		"several":      {[]string{"192.0.2.0/24", "127.0.0.0/8"}, 200},
		"IPv6 only":    {[]string{"::1/128"}, 403},
		"everybody":    {[]string{"0.0.0.0/0"}, 200},
		"others":       {[]string{"192.0.2.1/32"}, 403},
		"nobody":       {[]string{}, 403},
		"as IPv6 has":  {[]string{"::ffff:127.0.0.0/104"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, jsonAnswer("{}"), clients(c.ranges...))
			if got := w.raw(t, "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n\r\n"); got.StatusCode != c.status {
				t.Errorf("got %s, want %d", got.Status, c.status)
			}
		})
	}
}

// An IPv6 listener sees IPv4 clients as ::ffff:127.0.0.1.
func TestClients_mappedAddress(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"), clients("127.0.0.0/8"), limits(intercept.Limits{PerClient: 1}))
	l, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	go func() { _ = w.server.Serve(w.plugin.Listener(l)) }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	w.addr = "127.0.0.1:" + port
	if got := w.raw(t, "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n\r\n"); got.StatusCode != 200 {
		t.Errorf("got %s", got.Status)
	}
}

// hold opens a connection that does nothing but take up a slot.
func (w *world) hold(t *testing.T) net.Conn {
	t.Helper()
	c, err := dial(w.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestLimits_connections(t *testing.T) {
	for name, c := range map[string]struct {
		limits intercept.Limits
		status int
		count  func(intercept.Stats) int64
	}{
		"of all":        {intercept.Limits{Connections: 2}, 503, func(s intercept.Stats) int64 { return s.RefusedConnections }},
		"of one client": {intercept.Limits{PerClient: 2}, 429, func(s intercept.Stats) int64 { return s.RefusedPerClient }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, jsonAnswer("{}"), limits(c.limits))
			first := w.hold(t)
			w.hold(t)
			w.eventually(t, "two connections", func(s intercept.Stats) bool { return s.Connections == 2 && s.Clients == 1 })
			for n := int64(1); n <= 3; n++ {
				got := w.raw(t, poll)
				if got.StatusCode != c.status || got.Header.Get("Retry-After") == "" || !got.Close {
					t.Errorf("got %s %q, want %d", got.Status, got.body, c.status)
				}
				if counted := c.count(w.plugin.Stats()); counted != n {
					t.Errorf("got %d counted, want %d", counted, n)
				}
			}
			_ = first.Close()
			w.eventually(t, "a free slot", func(s intercept.Stats) bool { return s.Connections == 1 })
			if got := w.raw(t, poll); got.StatusCode != 200 {
				t.Errorf("after one left: got %s", got.Status)
			}
			w.eventually(t, "its end", func(s intercept.Stats) bool { return s.Connections == 1 && s.Tunnels == 0 })
		})
	}
}

// A client that takes everything that one may have leaves room for another one.
func TestLimits_oneClientStarvesNobody(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"), limits(intercept.Limits{PerClient: 3}))
	for range 3 {
		w.hold(t)
	}
	w.eventually(t, "three connections", func(s intercept.Stats) bool { return s.Connections == 3 })
	if got := w.raw(t, poll); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("got %s", got.Status)
	}
	other := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	c, err := other.Dial("tcp", w.addr)
	if err != nil {
		t.Skipf("this system has no 127.0.0.2: %v", err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, poll)
	if got := answer(t, c, http.MethodGet); got.StatusCode != 200 {
		t.Errorf("another client: got %s", got.Status)
	}
}

func TestLimits_tunnels(t *testing.T) {
	echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	for name, c := range map[string]struct {
		limits intercept.Limits
		want   string
	}{
		"of all":        {intercept.Limits{Tunnels: 2}, "503"},
		"of one client": {intercept.Limits{PerClient: 4}, "429"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, jsonAnswer("{}"), limits(c.limits), resolve(bank+":25", echo))
			most := max(c.limits.Tunnels, c.limits.PerClient)
			var all []net.Conn
			for i := range most {
				target := []string{bank + ":25", central + ":80"}[i%2]
				conn, err := w.connect(target)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, conn)
			}
			// Both kinds take slots. Over HTTP/1 a tunnel is a connection too, so the connection is what a single client runs out of.
			for _, target := range []string{bank + ":25", central + ":443"} {
				_, err := w.connect(target)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: got %v, want %s", target, err, c.want)
				}
			}
			for _, conn := range all {
				_ = conn.Close()
			}
			w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Tunnels == 0 && s.Connections == 0 && s.Clients == 0 })
			if _, err := w.connect(bank + ":25"); err != nil {
				t.Errorf("after they left: %v", err)
			}
		})
	}
}

// A tunnel that cannot be made, or a handshake that fails, gives its slot back.
func TestLimits_failuresKeepNoSeat(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"), limits(intercept.Limits{Tunnels: 1}))
	for range 3 {
		if _, err := w.connect("no.such.host.invalid:993"); err == nil || !strings.Contains(err.Error(), "502") {
			t.Fatalf("got %v, want 502", err)
		}
		if _, err := w.tls(central+":443", &tls.Config{ServerName: bank}); err == nil {
			t.Fatal("a handshake for another host succeeded")
		}
		w.eventually(t, "the slot", func(s intercept.Stats) bool { return s.Tunnels == 0 })
	}
}

// Slow clients of every kind are there, and somebody else is served as if they were not.
func TestLimits_slowClientsHarmThemselves(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"), limits(intercept.Limits{Header: time.Second, Handshake: time.Second, Body: time.Second}),
		func(_ *intercept.Config, _ *proxyServer, w *world) { w.headerTimeout = time.Second })
	var slow []net.Conn
	for _, text := range []string{"GET http://opened.net/ HT", "POST http://" + docHost + poxPath + " HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 100\r\n\r\n<"} {
		c := w.hold(t)
		_, _ = io.WriteString(c, text)
		slow = append(slow, c)
	}
	for target, text := range map[string]string{central + ":443": "\x16\x03\x01", central + ":80": "GET / HTTP/1.1\r\nHos"} {
		c, err := w.connect(target)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, text)
		slow = append(slow, c)
	}
	if got := send(t, w.client(true), ask(t, "https", "email@example.com")); got.body != suggest("email@example.com") {
		t.Errorf("got %d %q", got.StatusCode, got.body)
	}
	for i, c := range slow {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("slow client %d is still there: %v", i, err)
		}
	}
}

// The gate must not cost a tunnel its splice or its half-close: the connection stays a TCP connection.
func TestListener_keepsHalfClose(t *testing.T) {
	addr := listen(t, func(c net.Conn) {
		all, _ := io.ReadAll(c)
		_, _ = c.Write(append([]byte("heard "), all...))
	})
	w := newWorld(t, jsonAnswer(""), resolve(bank+":25", addr))
	c, err := w.connect(bank + ":25")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "hello")
	_ = c.(*peeked).Conn.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(bufio.NewReader(c)); string(got) != "heard hello" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A range that no address is ever in lets nobody in, or takes a load balancer for a client, and its author meant something.
func TestConfig_refusesRangesOfNothing(t *testing.T) {
	w := newWorld(t, jsonAnswer(""))
	for _, bad := range []netip.Prefix{{}, netip.MustParsePrefix("::ffff:0.0.0.0/90")} {
		for key, c := range map[string]intercept.Config{"Clients": {Clients: []netip.Prefix{bad}}, "ProxyProtocol": {ProxyProtocol: []netip.Prefix{bad}}} {
			c.Policy, c.Issuer = policyOf(t), w.issuer
			if _, err := intercept.New(c); err == nil || !strings.Contains(err.Error(), "reading "+key+": ") {
				t.Errorf("%s %v: got %v", key, bad, err)
			}
		}
	}
}

func TestConfig_refusesNegativeLimits(t *testing.T) {
	w := newWorld(t, jsonAnswer(""))
	for _, l := range []intercept.Limits{{Connections: -1}, {Tunnels: -1}, {PerClient: -1}} {
		policy := policyOf(t)
		if _, err := intercept.New(intercept.Config{Policy: policy, Issuer: w.issuer, Limits: l}); err == nil || !strings.Contains(err.Error(), "is negative") {
			t.Errorf("%+v: got %v", l, err)
		}
	}
}
