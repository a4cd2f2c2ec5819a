package intercept_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/elazarl/goproxy"
)

// What goproxy v1.9.4 does and we work around. Where one of these fails after an upgrade nothing is broken, but the comment that it names, and
// perhaps the work-around, can go.

// answered is the plain path's answer where a handler spoils it.
func answered(t *testing.T, upstream string, prepare func(*goproxy.ProxyHttpServer)) string {
	t.Helper()
	return talk(t, bare(t, upstream, prepare), bareGet)
}

// responsewriter.go: a nil response becomes a 500 that goproxy writes itself; failure.go, ask.go: so does an error, with Go's text and the address.
func TestConformance_nilResponsesAndErrors(t *testing.T) {
	addr := refusing(t)
	nobody := func(p *goproxy.ProxyHttpServer) {
		p.OnResponse().DoFunc(func(*http.Response, *goproxy.ProxyCtx) *http.Response { return nil })
	}
	empty := listen(t, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})
	if got := answered(t, empty, nobody); !strings.HasPrefix(got, "HTTP/1.1 500 ") {
		t.Errorf("responsewriter.go: a nil response gives %q", got)
	}
	if got := answered(t, addr, nil); !strings.HasPrefix(got, "HTTP/1.1 500 ") || !strings.Contains(got, addr) {
		t.Errorf("failure.go: a failed dial gives %q", got)
	}
}

// body.go: an answer that upstream cut short is ended as if it were whole. ask.go: another body costs the answer its Content-Length. hopbyhop.go:
// nothing is taken out of an answer's header.
func TestConformance_answersLoseTheirEnds(t *testing.T) {
	half := listen(t, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5\r\n\r\n4\r\nhalf\r\n8\r\nan a")
	})
	got := answered(t, half, nil)
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "halfan a" {
		t.Errorf("body.go: half an answer gives %q, %v", body, err)
	}
	if resp.Header.Get("Keep-Alive") == "" {
		t.Error("hopbyhop.go: Keep-Alive does not pass")
	}
	whole := listen(t, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\nConnection: close\r\n\r\n"+strings.Repeat("x", 64<<10))
	})
	got = answered(t, whole, func(p *goproxy.ProxyHttpServer) {
		p.OnResponse().DoFunc(func(r *http.Response, _ *goproxy.ProxyCtx) *http.Response {
			r.Body = struct {
				io.Reader
				io.Closer
			}{r.Body, r.Body}
			return r
		})
	})
	if strings.Contains(got, "Content-Length") {
		t.Error("ask.go: another body keeps the Content-Length")
	}
}

// front.go, upstream.go: a new proxy follows the environment, in two places. target.go: CONNECT without a port is port 80's.
func TestConformance_environmentAndPorts(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	proxy := goproxy.NewProxyHttpServer()
	if proxy.ConnectDial == nil || proxy.Tr.Proxy == nil || proxy.ConnectDialWithReq != nil {
		t.Error("front.go: the environment is followed in another way")
	}
	dialled := ""
	addr := bare(t, "", func(p *goproxy.ProxyHttpServer) {
		p.Tr = &http.Transport{DialContext: func(_ context.Context, _, to string) (net.Conn, error) {
			dialled = to
			return nil, io.EOF
		}}
	})
	_ = talk(t, addr, "CONNECT any.test HTTP/1.1\r\nHost: any.test\r\n\r\n")
	if dialled != "any.test:80" {
		t.Errorf("target.go: dialled %q", dialled)
	}
}

// binding.go: one transport serves all clients, so that one connection upstream carries the requests of several.
func TestConformance_connectionsAreShared(t *testing.T) {
	var connections atomic.Int64
	addr := bare(t, listen(t, func(c net.Conn) {
		connections.Add(1)
		for r := bufio.NewReader(c); ; {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}), nil)
	const clients = 20
	for range clients {
		c, err := dial(addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, strings.Replace(bareGet, "Connection: close\r\n", "", 1))
		if got := answer(t, c, http.MethodGet); got.StatusCode != http.StatusOK {
			t.Fatalf("got %s", got.Status)
		}
	}
	if n := connections.Load(); n == clients {
		t.Errorf("each of %d clients had an upstream connection of its own", n)
	}
}

// mitm opens plain HTTP in every tunnel, with goproxy's own loop, which Install is documented for.
func mitm(p *goproxy.ProxyHttpServer) {
	p.OnRequest().HandleConnectFunc(func(host string, _ *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) {
		return &goproxy.ConnectAction{Action: goproxy.ConnectMitm}, host
	})
}

const inTunnel = "CONNECT any.test:80 HTTP/1.1\r\nHost: any.test:80\r\n\r\nGET / HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n"

// hall.go, filter.go: in goproxy's own loop the Host field chooses whom upstream is.
func TestConformance_mitmBelievesTheHost(t *testing.T) {
	asked := make(chan string, 1)
	addr := bare(t, refusing(t), func(p *goproxy.ProxyHttpServer) {
		mitm(p)
		p.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
			asked <- r.URL.Host
			return r, goproxy.NewResponse(r, "text/plain", 200, "")
		})
	})
	_ = talk(t, addr, inTunnel)
	if got := await(t, asked); got != "other.test" {
		t.Errorf("asked %q", got)
	}
}

// hall.go, filter.go: there, a panic in a handler ends the process.
func TestConformance_mitmDoesNotRecover(t *testing.T) {
	const asChild = "CONFORMANCE_CHILD"
	if os.Getenv(asChild) != "" {
		addr := bare(t, refusing(t), func(p *goproxy.ProxyHttpServer) {
			mitm(p)
			p.OnRequest().DoFunc(func(*http.Request, *goproxy.ProxyCtx) (*http.Request, *http.Response) { panic("boom") })
		})
		fmt.Println("survived with", talk(t, addr, inTunnel))
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestConformance_mitmDoesNotRecover$")
	child.Env = append(os.Environ(), asChild+"=1")
	out, err := child.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: boom") {
		t.Errorf("got %v:\n%s", err, out)
	}
}

// responsewriter.go: when a WebSocket ends, goproxy leaves the client's side open.
func TestConformance_webSocketIsLeftOpen(t *testing.T) {
	upstream := listen(t, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nframe")
	})
	proxy, client := goproxy.NewProxyHttpServer(), newRecorder()
	proxy.Logger = log.New(io.Discard, "", 0)
	proxy.Tr = &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, upstream)
	}}
	r := httptest.NewRequest(http.MethodGet, "http://any.test/", http.NoBody)
	r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
	proxy.ServeHTTP(client, r)
	select {
	case <-client.closed:
		t.Error("the client's side is closed")
	default:
	}
}
