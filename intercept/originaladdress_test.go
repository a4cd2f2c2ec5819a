package intercept_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"autodiscover-guard/intercept"
)

// knowsNothing is a resolver that knows no name, and counts who asks.
func knowsNothing(asked *atomic.Int64) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, errors.New("nobody answers")
	}}
}

// site answers with its name and whom it was asked for.
func site(t *testing.T, name string) (addr string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, name+" for "+r.Host+r.URL.Path+string(body))
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); await(t, done) })
	return l.Addr().String(), asked
}

// Plain HTTP that is nobody's discovery goes to the address at which its client found the host, which may be in a hosts file of its own; and never over a connection to another address.
func TestOriginalAddress(t *testing.T) {
	t.Parallel()
	one, asked := site(t, "one")
	two, _ := site(t, "two")
	n := newLAN(t, jsonAnswer("by name"), resolve(siteAddr+":80", one), resolve(otherAddr+":80", two))
	var looked atomic.Int64
	n.plugin.ResolveWith(knowsNothing(&looked))
	ask := func(addr, text, want string) {
		t.Helper()
		c := n.dial(t, addr+":80")
		_, _ = io.WriteString(c, text)
		if got := answer(t, c, http.MethodGet); !strings.Contains(got.body, want) {
			t.Errorf("%s: %q: got %d %q, want %q", addr, text, got.StatusCode, got.body, want)
		}
		_ = c.Close()
	}
	for range 2 {
		ask(siteAddr, "GET /page HTTP/1.1\r\nHost: wiki.corp.net\r\n\r\n", "one for wiki.corp.net/page")
		ask(otherAddr, "GET /page HTTP/1.1\r\nHost: wiki.corp.net\r\n\r\n", "two for wiki.corp.net/page")
	}
	ask(siteAddr, "POST / HTTP/1.1\r\nHost: 198.51.100.7\r\nContent-Length: 5\r\n\r\nhello", "one for 198.51.100.7/hello")
	ask(siteAddr, "GET /odd|path HTTP/1.1\r\nHost: wiki.corp.net\r\n\r\n", "one for wiki.corp.net/odd|path")
	// Discovery, too, where nobody is guarded.
	ask(siteAddr, "GET /mail/config-v1.1.xml?emailaddress=user@corp.net HTTP/1.1\r\nHost: autoconfig.corp.net\r\n\r\n", "one for autoconfig.corp.net")
	if looked.Load() != 0 {
		t.Errorf("%d names were looked up", looked.Load())
	}
	// Somebody guarded, and what is opened, is asked where we find it, and so is what the operator has an address for.
	before := asked.Load()
	for _, host := range []string{"www.other.test", "deep.opened.net", "autodiscover.com"} {
		ask(siteAddr, "GET /page HTTP/1.1\r\nHost: "+host+"\r\nAuthorization: Basic eDp5\r\n\r\n", "")
	}
	ask(siteAddr, "GET /page HTTP/1.1\r\nHost: "+bank+"\r\n\r\n", "by name")
	ask(siteAddr, "GET /mail/config-v1.1.xml?emailaddress=user@example.com HTTP/1.1\r\nHost: wiki.corp.net\r\n\r\n", "")
	ask(siteAddr, "GET /page HTTP/1.1\r\nHost: wiki.corp.net\r\nX-Email: user@example.com\r\n\r\n", "")
	if now := asked.Load(); now != before {
		t.Errorf("the site was asked %d times", now-before)
	}
	// The address is judged as every other; where nobody is reached there, the host is asked as we find it.
	looked.Store(0)
	ask("10.1.2.3", "POST / HTTP/1.1\r\nHost: wiki.corp.net\r\nContent-Length: 5\r\n\r\nhello", "wiki.corp.net leads to a private address")
	if looked.Load() == 0 {
		t.Error("the name was not looked up")
	}
}

// By way of a proxy behind us the host is asked by its name, whichever of name and address that proxy is for.
func TestOriginalAddress_behindAProxy(t *testing.T) {
	t.Parallel()
	one, asked := site(t, "one")
	behind, _ := site(t, "the proxy")
	for _, direct := range [][]string{nil, {"wiki.corp.net"}} {
		n := newLAN(t, jsonAnswer(""), func(c *intercept.Config, _ *proxyServer, _ *world) {
			c.Upstream.Proxy, c.Upstream.NoProxy = "http://"+behind, direct
			c.Upstream.Resolve = map[string]string{siteAddr + ":80": one}
		})
		n.plugin.ResolveWith(knowsNothing(new(atomic.Int64)))
		c := n.dial(t, siteAddr+":80")
		_, _ = io.WriteString(c, "GET /page HTTP/1.1\r\nHost: wiki.corp.net\r\n\r\n")
		want := "the proxy for wiki.corp.net/page"
		if direct != nil {
			want = "wiki.corp.net does not resolve"
		}
		if got := answer(t, c, http.MethodGet); !strings.Contains(got.body, want) {
			t.Errorf("%v: got %d %q", direct, got.StatusCode, got.body)
		}
	}
	if asked.Load() != 0 {
		t.Error("the site was asked past the proxy")
	}
}

// A client that has reached us instead of an address where nobody is does not try the host's others: that is for us.
func TestOriginalAddress_anotherOfTheHost(t *testing.T) {
	t.Parallel()
	n := newLAN(t, jsonAnswer("its own"), resolve(siteAddr+":443", "127.0.0.1:1"))
	c := tls.Client(n.dial(t, siteAddr+":443"), &tls.Config{ServerName: bank, RootCAs: n.web.roots()})
	if err := c.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+bank+"\r\n\r\n")
	if got := answer(t, c, http.MethodGet); got.body != "its own" {
		t.Errorf("got %q", got.body)
	}
}
