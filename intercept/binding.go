package intercept

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"
)

// NTLM and Negotiate authenticate a connection, not a request: whoever sends the next request over it is the one who logged in. goproxy
// v1.9.4 pools upstream connections over all clients (proxy.go: Tr), so another client without a password gets the first one's
// mailbox. Here a client that sends such a header gets a transport of its own, for as long as its connection lives.

// binding is the place that one client connection has for such a transport.
type binding struct {
	since     time.Time // when the connection was made
	mu        sync.Mutex
	transport *http.Transport
	closed    bool
}

// bindings knows all bindings that hold a transport and whose connection lives, so that Close can end them.
type bindings struct {
	mu  sync.Mutex
	all map[*binding]struct{}
}

type bindingKey struct{}

// attached is what a context holds on to. When net/http drops the connection, it becomes unreachable, and the binding is closed: the outer
// server's connections are not ours to watch.
type attached struct {
	*binding
	conn lingerer // nil where it is not ours
}

func newBinding() *binding { return &binding{since: time.Now()} }

// began is when the connection was made; of one that nobody knows, now.
func (b *binding) began() time.Time {
	if b == nil {
		return time.Now()
	}
	return b.since
}

func (bs *bindings) attach(ctx context.Context, c net.Conn) context.Context {
	a := &attached{binding: &binding{since: acceptedAt(c)}}
	a.conn, _ = c.(lingerer)
	runtime.AddCleanup(a, bs.drop, a.binding)
	return context.WithValue(ctx, bindingKey{}, a)
}

func bindingOf(ctx context.Context) *binding {
	if a, ok := ctx.Value(bindingKey{}).(*attached); ok {
		return a.binding
	}
	return nil
}

// drop is called when a binding's connection has ended.
func (bs *bindings) drop(b *binding) {
	b.close() // first, so that bound does not remember it again
	bs.mu.Lock()
	delete(bs.all, b)
	bs.mu.Unlock()
}

func (bs *bindings) closeAll() {
	bs.mu.Lock()
	all := bs.all
	bs.all = nil
	bs.mu.Unlock()
	for b := range all {
		b.close()
	}
}

func (b *binding) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.transport != nil {
		b.transport.CloseIdleConnections()
	}
}

// bound returns the transport that a request must use, or nil where the shared one will do. A connection that was bound once stays bound:
// the requests after the log-in carry no header that would tell.
func (bs *bindings) bound(b *binding, h http.Header, base *http.Transport) *http.Transport {
	needs := connectionBound(h)
	if b == nil {
		if !needs {
			return nil
		}
		once := withoutHTTP2(base)
		once.DisableKeepAlives = true
		return once
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.transport == nil && needs {
		b.transport = withoutHTTP2(base)
		b.transport.DisableKeepAlives = b.closed
		if !b.closed {
			bs.remember(b)
		}
	}
	return b.transport
}

func (bs *bindings) remember(b *binding) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if bs.all == nil {
		bs.all = make(map[*binding]struct{})
	}
	bs.all[b] = struct{}{}
}

// withoutHTTP2 copies a transport, without its connections, into one that speaks HTTP/1.1: these schemes are not defined for HTTP/2.
func withoutHTTP2(base *http.Transport) *http.Transport {
	t := base.Clone()
	t.Protocols = nil
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = nil
	}
	return t
}

func connectionBound(h http.Header) bool {
	for _, field := range h["Authorization"] {
		scheme, _, _ := strings.Cut(strings.TrimSpace(field), " ")
		if strings.EqualFold(scheme, "NTLM") || strings.EqualFold(scheme, "Negotiate") {
			return true
		}
	}
	return false
}
