package intercept_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// oneEach answers one request of each connection, and ends it with the next without a word: so does a server whose patience with an idle
// connection ends at that moment, or that is started again.
type oneEach struct {
	mu     sync.Mutex
	served map[string]bool // by connection
	next   http.HandlerFunc
}

func (o *oneEach) handle(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	o.mu.Lock()
	before := o.served[r.RemoteAddr]
	o.served[r.RemoteAddr] = true
	o.mu.Unlock()
	if before {
		panic(http.ErrAbortHandler)
	}
	o.next(w, r)
}

// However many connections have ended while they lay idle, as behind a firewall that has forgotten them, a question is asked over a new one in the end.
func TestQuestion_manyConnectionsEnd(t *testing.T) {
	t.Parallel()
	const idle = 12
	together := make(chan struct{})
	var asked atomic.Int64
	answer := &oneEach{served: make(map[string]bool), next: func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == idle {
			close(together)
		}
		select {
		case <-together:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"/>`)
	}}
	w := newWorld(t, answer.handle)
	question := func() *http.Request { return poxAsk(t, "http://opened.net"+poxPath, "user@corp-mail.net") }
	var first sync.WaitGroup
	for range idle {
		r := question()
		first.Go(func() { sent(w.client(false), r) })
	}
	first.Wait()
	if got := send(t, w.client(false), question()); got.StatusCode != http.StatusOK {
		t.Errorf("got %s %q", got.Status, got.body)
	}
}

// A question is asked again where a connection that was good before ends with it, because nobody's settings may depend on when a server closes connections.
// What is no question may have done something, and is not.
func TestQuestion_connectionEnds(t *testing.T) {
	t.Parallel()
	const own = "user@lab.test"
	for name, c := range map[string]struct {
		asks   func(testing.TB) *http.Request
		status int
		asked  int64
	}{
		"a question in a body": {func(tb testing.TB) *http.Request {
			return poxAsk(tb, "http://opened.net"+poxPath, "user@corp-mail.net")
		}, 200, 3},
		"of somebody guarded": {func(tb testing.TB) *http.Request { return poxAsk(tb, "http://"+labHost+poxPath, own) }, 200, 3},
		"with a method of its own": {func(tb testing.TB) *http.Request {
			return request(tb, "PROPFIND", "http://opened.net/.well-known/caldav", "")
		}, 207, 3},
		"no question": {func(tb testing.TB) *http.Request {
			return request(tb, http.MethodPost, "http://opened.net/", "change something")
		}, 502, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := &oneEach{served: make(map[string]bool), next: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/xml")
				if r.Method == "PROPFIND" {
					w.WriteHeader(http.StatusMultiStatus)
					_, _ = io.WriteString(w, `<multistatus xmlns="DAV:"/>`)
					return
				}
				_, _ = io.WriteString(w, `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"/>`)
			}}
			s := &spy{next: answer.handle}
			w := newWorld(t, s.handle)
			client := w.client(false)
			if got := send(t, client, c.asks(t)); got.StatusCode == http.StatusBadGateway {
				t.Fatalf("the first: got %s %q", got.Status, got.body)
			}
			if got := send(t, client, c.asks(t)); got.StatusCode != c.status || s.asked.Load() != c.asked {
				t.Errorf("got %s %q, upstream asked %d times; want %d and %d", got.Status, got.body, s.asked.Load(), c.status, c.asked)
			}
			if raw := s.heard(); strings.Contains(raw, "Idempotency") {
				t.Errorf("upstream got\n%s", raw)
			}
			said := c.asks(t)
			said.Header.Set("X-Idempotency-Key", "the client's own")
			w.proxy.Tr.CloseIdleConnections()
			send(t, w.client(false), said)
			if raw := s.heard(); !strings.Contains(raw, "X-Idempotency-Key: the client's own\r\n") {
				t.Errorf("upstream got\n%s", raw)
			}
		})
	}
}
