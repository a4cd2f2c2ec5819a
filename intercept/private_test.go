package intercept_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
)

// inner is a service of the guard's own network, which counts who comes.
func inner(t *testing.T) (port string, dialled *atomic.Int64) {
	t.Helper()
	dialled = new(atomic.Int64)
	addr := listen(t, func(c net.Conn) {
		dialled.Add(1)
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret")
		}
	})
	_, port, _ = net.SplitHostPort(addr)
	return port, dialled
}

const privateText = " leads to a private address, which this proxy does not connect to (private address)."

// Nobody reaches through the guard what he cannot reach without it, whatever he calls it: by then a name is resolved, and nobody can resolve it
// to something else once more.
func TestPrivate_isNotDialled(t *testing.T) {
	port, dialled := inner(t)
	w := newWorld(t, jsonAnswer(""))
	for _, host := range []string{"127.0.0.1", "localhost", "127.0.0.2", "0.0.0.0", "[::ffff:127.0.0.1]", "169.254.169.254", "[fd00:ec2::254]", "[64:ff9b::7f00:1]"} {
		shown := strings.Trim(host, "[]")
		if shown == "::ffff:127.0.0.1" {
			shown = netip.MustParseAddr(shown).String()
		}
		_, err := w.connect(host + ":" + port)
		if want := "403 Forbidden: autodiscover-guard: " + shown + privateText; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CONNECT %s: got %v, want %q", host, err, want)
		}
		got := send(t, w.client(false), request(t, http.MethodGet, "http://"+host+":"+port+"/latest/meta-data/", ""))
		if got.StatusCode != http.StatusBadGateway || !strings.HasSuffix(got.body, privateText+"\n") {
			t.Errorf("GET %s: got %d %q", host, got.StatusCode, got.body)
		}
	}
	if n := dialled.Load(); n != 0 {
		t.Errorf("the inner service was dialled %d times", n)
	}
}

func TestPrivate_discoveryThere(t *testing.T) {
	port, dialled := inner(t)
	w := newWorld(t, jsonAnswer(""))
	where := "http://127.0.0.1:" + port + poxPath
	guarded := send(t, w.client(false), poxAsk(t, where, "user@lab.test"))
	if guarded.StatusCode != http.StatusNotFound || guarded.body != "not found\n" {
		t.Errorf("guarded: got %d %q, want that there is nothing here", guarded.StatusCode, guarded.body)
	}
	open := send(t, w.client(false), poxAsk(t, where, "user@corp-mail.net"))
	if open.StatusCode != http.StatusBadGateway || open.body != "autodiscover-guard: 127.0.0.1"+privateText+"\n" {
		t.Errorf("nobody guarded: got %d %q", open.StatusCode, open.body)
	}
	for n, action := range []string{"refuse", "pass"} {
		record := w.decision(n + 1)
		if u := record["upstream"].(map[string]any); record["action"] != action || u["error"] != "private address" || u["status"] != 0 {
			t.Errorf("got record %v", record)
		}
		if record["credentials"].(map[string]any)["forwarded"] != false {
			t.Errorf("record %d says that credentials were forwarded: %v", n+1, record)
		}
	}
	if n := dialled.Load(); n != 0 {
		t.Errorf("the inner service was dialled %d times", n)
	}
}

// A name that leads elsewhere each time it is resolved gains nothing, because what is checked is the address that is dialled.
func TestPrivate_rebinding(t *testing.T) {
	port, dialled := inner(t)
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer(""), func(c *intercept.Config, _ *proxyServer, _ *world) {
				c.Upstream.Resolve = nil
				policy, err := rules.New(rules.Config{Open: []string{"rebound.net"}})
				if err != nil {
					t.Fatal(err)
				}
				c.Policy = policy
			})
			w.plugin.ResolveWith(rebinding(t))
			for range 3 {
				got := send(t, door.client(w), request(t, http.MethodGet, door.scheme+"://rebound.net/", ""))
				checkPage(t, got, http.StatusBadGateway, "autodiscover-guard: rebound.net"+privateText+"\n")
			}
			if _, err := w.connect("rebound.net:" + port); err == nil || !strings.Contains(err.Error(), "403 Forbidden: autodiscover-guard: rebound.net"+privateText) {
				t.Errorf("CONNECT: got %v", err)
			}
			if n := dialled.Load(); n != 0 {
				t.Errorf("the inner service was dialled %d times", n)
			}
		})
	}
}

// rebinding is a resolver that gives another address for every question.
func rebinding(t *testing.T) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = server.Close(); await(t, done) })
	go func() {
		defer close(done)
		var asked byte
		for {
			var b [512]byte
			n, from, err := server.ReadFrom(b[:])
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil {
				continue
			}
			m.Header.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				asked++
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, asked}},
				}}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = server.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func TestPrivate_allowed(t *testing.T) {
	some, err := intercept.AllowPrivateIn(netip.MustParsePrefix("127.0.0.0/8"))
	if err != nil {
		t.Fatal(err)
	}
	for name, private := range map[string]intercept.Private{"all": intercept.AllowPrivate(), "a range": some} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port, _ := inner(t)
			w := newWorld(t, jsonAnswer(""), timeouts(func(u *intercept.UpstreamConfig) { u.Private = private }))
			if got := send(t, w.client(false), request(t, http.MethodGet, "http://127.0.0.1:"+port+"/", "")); got.body != "secret" {
				t.Errorf("got %d %q", got.StatusCode, got.body)
			}
			c, err := w.connect("127.0.0.1:" + port)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if all, _ := io.ReadAll(c); !strings.HasSuffix(string(all), "secret") {
				t.Errorf("tunnel: got %q", all)
			}
			if name == "all" {
				return // nobody waits for a network without an answer
			}
			if _, err := w.connect("169.254.169.254:80"); err == nil || !strings.Contains(err.Error(), "private address") {
				t.Errorf("got %v, want what is not in the range refused", err)
			}
		})
	}
}
