package intercept_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/elazarl/goproxy"
)

// The tests of this file and of conformancequirk_test.go say what package intercept relies on and what it works around in goproxy v1.9.4, without
// any code of ours in between. Where one fails after an upgrade, the comment that it names is not true any more.

// bare is a goproxy server as it comes, whose dials all lead to one address.
func bare(t *testing.T, upstream string, prepare func(*goproxy.ProxyHttpServer)) string {
	t.Helper()
	proxy := goproxy.NewProxyHttpServer()
	proxy.Logger = log.New(io.Discard, "", 0)
	proxy.ConnectDial = nil
	proxy.Tr = &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, upstream)
	}}
	t.Cleanup(proxy.Tr.CloseIdleConnections)
	if prepare != nil {
		prepare(proxy)
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(func() { over(t, server.Close) })
	return server.Listener.Addr().String()
}

// talk writes text to a server and returns all that comes back.
func talk(t *testing.T, addr, text string) string {
	t.Helper()
	c, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, text)
	r := bufio.NewReader(c)
	if _, err := r.Peek(1); err == nil && strings.HasPrefix(text, http.MethodConnect) {
		_ = c.(*net.TCPConn).CloseWrite() // not before: net/http would take that for the client's departure
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("got %q, %v", all, err)
	}
	return string(all)
}

const (
	bareConnect = "CONNECT any.test:25 HTTP/1.1\r\nHost: any.test:25\r\n\r\n"
	bareGet     = "GET http://any.test/ HTTP/1.1\r\nHost: any.test\r\nConnection: close\r\n\r\n"
)

// heard answers each connection with what came in until its half-close.
func heard(t *testing.T) string {
	return listen(t, func(c net.Conn) {
		all, _ := io.ReadAll(c)
		_, _ = fmt.Fprintf(c, "heard %q", all)
	})
}

// tunnel.go: swallow waits for the 200 in one write; conn.go, transparent.go: what came with the CONNECT request is replayed; tunnel.go: a
// client's half-close goes on to the other side and the answer still comes back.
func TestConformance_tunnel(t *testing.T) {
	const established = "HTTP/1.1 200 Connection established\r\n\r\n"
	if got, want := talk(t, bare(t, heard(t), nil), bareConnect+"early"), established+`heard "early"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	proxy, first := goproxy.NewProxyHttpServer(), newRecorder()
	proxy.Logger, proxy.ConnectDial = log.New(io.Discard, "", 0), nil
	upstream := heard(t)
	proxy.Tr = &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, upstream)
	}}
	proxy.ServeHTTP(first, httptest.NewRequest(http.MethodConnect, "any.test:25", http.NoBody))
	await(t, first.closed)
	if writes := first.said(); len(writes) == 0 || writes[0] != established {
		t.Errorf("the first write was %q, want %q alone", writes, established)
	}
}

// recorder is a response writer and the connection behind it: it notes each write, and has nothing to say.
type recorder struct {
	net.Conn
	header http.Header
	mu     sync.Mutex
	writes []string
	once   sync.Once
	closed chan struct{}
}

func newRecorder() *recorder {
	return &recorder{header: http.Header{}, closed: make(chan struct{})}
}

func (r *recorder) Header() http.Header      { return r.header }
func (r *recorder) WriteHeader(int)          {}
func (r *recorder) Read([]byte) (int, error) { return 0, io.EOF }
func (r *recorder) CloseRead() error         { return nil }
func (r *recorder) CloseWrite() error        { return nil }

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, string(p))
	return len(p), nil
}

func (r *recorder) said() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writes
}

func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return r, bufio.NewReadWriter(bufio.NewReader(r), bufio.NewWriter(r)), nil
}

func (r *recorder) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}

// counted is a connection that stays a TCP connection to the eye of goproxy and io.Copy, as trackedTCP does, and counts who looks.
type counted struct {
	*net.TCPConn
	direct, half *atomic.Int64
}

func (c counted) ReadFrom(r io.Reader) (int64, error) {
	c.direct.Add(1)
	return c.TCPConn.ReadFrom(r)
}

func (c counted) WriteTo(w io.Writer) (int64, error) {
	c.direct.Add(1)
	return c.TCPConn.WriteTo(w)
}

func (c counted) CloseWrite() error {
	c.half.Add(1)
	return c.TCPConn.CloseWrite()
}

// tunnel.go: track, parentdial.go: overTLS: whatever has CloseRead and CloseWrite is half closed, and is copied with ReadFrom or WriteTo, without
// which there is no splice. TestTunnel_splices sees the system calls.
func TestConformance_tunnelCopiesDirectly(t *testing.T) {
	var direct, half atomic.Int64
	upstream := heard(t)
	addr := bare(t, "", func(p *goproxy.ProxyHttpServer) {
		p.Tr = &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, upstream)
			if err != nil {
				return nil, err
			}
			return counted{c.(*net.TCPConn), &direct, &half}, nil
		}}
	})
	for _, early := range []string{"", "early"} {
		direct.Store(0)
		half.Store(0)
		if got := talk(t, addr, bareConnect+early); !strings.HasSuffix(got, fmt.Sprintf("heard %q", early)) {
			t.Errorf("got %q", got)
		}
		if direct.Load() < 2 || half.Load() == 0 {
			t.Errorf("early bytes %q: ReadFrom and WriteTo were called %d times, want 2 or more; CloseWrite %d times", early, direct.Load(), half.Load())
		}
	}
}

// dialer.go, upstream.go: a tunnel is dialled with Tr.DialContext, and in the context of its request.
func TestConformance_tunnelIsDialledByTheTransport(t *testing.T) {
	type key struct{}
	var dialled []any
	proxy := goproxy.NewProxyHttpServer()
	proxy.Logger, proxy.ConnectDial = log.New(io.Discard, "", 0), nil
	proxy.Tr = &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialled = append(dialled, ctx.Value(key{}), network, addr)
		return nil, errors.New("no")
	}}
	r := httptest.NewRequest(http.MethodConnect, "any.test:25", http.NoBody)
	proxy.ServeHTTP(newRecorder(), r.WithContext(context.WithValue(r.Context(), key{}, "here")))
	if got, want := fmt.Sprint(dialled), "[here tcp any.test:25]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// front.go: tunnelFailed is asked what to say when the dial fails, with the connection that was hijacked or, over HTTP/2, with something that
// has the ResponseWriter; and once more when a tunnel breaks whose ends cannot be half closed.
func TestConformance_connectionErrHandler(t *testing.T) {
	t.Run("dial", func(t *testing.T) {
		addr := bare(t, refusing(t), func(p *goproxy.ProxyHttpServer) {
			p.ConnectionErrHandler = func(w io.Writer, ctx *goproxy.ProxyCtx, err error) {
				_, isConn := w.(net.Conn)
				_, _ = fmt.Fprintf(w, "conn %v, host %s, error %v", isConn, ctx.Req.URL.Host, err != nil)
			}
		})
		if got, want := talk(t, addr, bareConnect), "conn true, host any.test:25, error true"; got != want {
			t.Errorf("got %q, want %q: an error page of goproxy's own would name inner addresses", got, want)
		}
	})
	t.Run("dial over HTTP/2", func(t *testing.T) {
		said := make(chan bool, 1)
		proxy := goproxy.NewProxyHttpServer()
		proxy.Logger, proxy.ConnectDial = log.New(io.Discard, "", 0), nil
		proxy.Tr = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no") }}
		proxy.ConnectionErrHandler = func(w io.Writer, _ *goproxy.ProxyCtx, _ error) {
			_, ok := w.(interface{ ResponseWriter() http.ResponseWriter })
			said <- ok
		}
		r := httptest.NewRequest(http.MethodConnect, "any.test:25", http.NoBody)
		r.Proto, r.ProtoMajor = "HTTP/2.0", 2
		proxy.ServeHTTP(httptest.NewRecorder(), r)
		if !await(t, said) {
			t.Error("no ResponseWriter to answer with")
		}
	})
	t.Run("an established tunnel breaks", func(t *testing.T) {
		said := make(chan error, 1)
		proxy := goproxy.NewProxyHttpServer()
		proxy.Logger, proxy.ConnectDial = log.New(io.Discard, "", 0), nil
		proxy.Tr = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe() // cannot be half closed
			_ = theirs.Close()
			return ours, nil
		}}
		proxy.ConnectionErrHandler = func(_ io.Writer, _ *goproxy.ProxyCtx, err error) { said <- err }
		server := httptest.NewServer(proxy)
		defer server.Close()
		if got := talk(t, server.Listener.Addr().String(), bareConnect+"x"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Errorf("got %q", got)
		}
		if err := await(t, said); err == nil {
			t.Error("called without an error")
		}
	})
}

// filter.go: request handlers run in order until one answers; all response handlers run, in order, also for an answer that a handler made;
// login.go, hopbyhop.go: handlers see the fields that end at a proxy, upstream does not; ask.go: ctx.RoundTripper is asked in the transport's place.
func TestConformance_filters(t *testing.T) {
	var order []string
	var upstream http.Header
	page := func(r *http.Request) *http.Response { return goproxy.NewResponse(r, "text/plain", 200, "page") }
	for name, c := range map[string]struct {
		canned bool
		want   string
	}{
		"asked":  {false, "[first second round-trip third fourth]"},
		"canned": {true, "[first second third fourth]"},
	} {
		order, upstream = nil, nil
		addr := bare(t, refusing(t), func(p *goproxy.ProxyHttpServer) {
			p.OnRequest().DoFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
				order = append(order, "first")
				if r.Header.Get("Proxy-Authorization") != "x" || r.Header.Get("Connection") != "close, X-Named" {
					t.Errorf("%s: a handler sees %v", name, r.Header)
				}
				ctx.RoundTripper = goproxy.RoundTripperFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Response, error) {
					order, upstream = append(order, "round-trip"), r.Header.Clone()
					return page(r), nil
				})
				return r, nil
			})
			p.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
				order = append(order, "second")
				if c.canned {
					return r, page(r)
				}
				return r, nil
			})
			for _, n := range []string{"third", "fourth"} {
				p.OnResponse().DoFunc(func(r *http.Response, ctx *goproxy.ProxyCtx) *http.Response {
					order = append(order, n)
					if ctx.RoundTripper == nil || ctx.Req == nil {
						t.Errorf("%s: a response handler does not know the exchange", n)
					}
					return r
				})
			}
		})
		got := talk(t, addr, strings.Replace(bareGet, "Connection: close", "Connection: close, X-Named\r\nProxy-Authorization: x\r\nX-Named: 1", 1))
		if !strings.Contains(got, "page") || fmt.Sprint(order) != c.want {
			t.Errorf("%s: got %v %q, want %s", name, order, got, c.want)
		}
		if upstream.Get("Proxy-Authorization")+upstream.Get("Connection") != "" {
			t.Errorf("%s: upstream gets %v", name, upstream)
		}
	}
}

// ask.go: the Content-Length stays where response handlers leave the body alone, which is why answers are judged in the round trip; and a 101
// is relayed where its body is an io.ReadWriter.
func TestConformance_answers(t *testing.T) {
	answer := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(c))
			_, _ = io.WriteString(c, text)
		}
	}
	addr := bare(t, listen(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage")), nil)
	if got := talk(t, addr, bareGet); !strings.Contains(got, "Content-Length: 4\r\n") || !strings.HasSuffix(got, "\r\n\r\npage") {
		t.Errorf("got %q", got)
	}
	addr = bare(t, listen(t, answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nframe")), nil)
	got := upgraded(t, addr)
	if !strings.HasPrefix(got, "HTTP/1.1 101 ") || !strings.HasSuffix(got, "\r\n\r\nframe") {
		t.Errorf("got %q", got)
	}
}

// upgraded asks for a WebSocket, closes its half when it has one, and returns all that comes back.
func upgraded(t *testing.T, addr string) string {
	t.Helper()
	c, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, strings.Replace(bareGet, "Connection: close", "Connection: Upgrade\r\nUpgrade: websocket", 1))
	var all strings.Builder
	for r := bufio.NewReader(c); !strings.HasSuffix(all.String(), "frame"); {
		b, err := r.ReadByte()
		if err != nil {
			t.Fatalf("got %q, %v", all.String(), err)
		}
		all.WriteByte(b)
	}
	return all.String()
}
