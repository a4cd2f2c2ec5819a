package console_test

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// event is a server-sent event, read as the HTML Living Standard says.
type event struct{ kind, id, data string }

// listener is somebody who listens.
type listener struct {
	t      *testing.T
	lines  *bufio.Scanner
	status int
	header http.Header
	leave  func()
}

// listen opens /events. header is Last-Event-ID, or empty.
func listen(t *testing.T, url, query, header string) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/events?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != "" {
		r.Header.Set("Last-Event-ID", header)
	}
	transport := new(http.Transport)
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return &listener{t, lines, response.StatusCode, response.Header, func() {
		cancel()
		response.Body.Close()
		transport.CloseIdleConnections()
	}}
}

// next waits for an event.
func (l *listener) next() event {
	l.t.Helper()
	var e event
	for l.lines.Scan() {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch name {
		case "event":
			e.kind = value
		case "id":
			e.id = value
		case "data":
			e.data += value + "\n"
		case "":
			if e.kind != "" {
				return e
			}
		}
	}
	l.t.Fatal("the stream has ended: ", l.lines.Err())
	return e
}

func serve(t *testing.T, ring *console.Ring) string {
	t.Helper()
	s := httptest.NewServer(pageOver(t, ring))
	t.Cleanup(s.Close)
	return s.URL
}

// Who listens hears of what fits, from where he was: also after he was away, unless that is too long ago, or in another life of the guard.
func TestEvents(t *testing.T) {
	ring := console.NewRing()
	url := serve(t, ring)
	ring.Show(decision(0, nil))
	l := listen(t, url, "domain=example.com", "")
	defer l.leave()
	if e := l.next(); e.kind != "at" || l.header.Get("Content-Type") != "text/event-stream" || l.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%+v, %v", e, l.header)
	}
	ring.Show(decision(1, func(f map[string]any) { f["subjects"] = []string{"shop.com"} }))
	ring.Show(decision(2, func(f map[string]any) { f["reason"] = "<first>\nsecond" }))
	e := l.next()
	if e.kind != "decision" || exchanges(e.data) != "run-2" || !strings.HasPrefix(e.data, "<tbody") || !strings.Contains(e.data, "&lt;first&gt;\\x0asecond") {
		t.Fatalf("%+v", e)
	}
	l.leave()
	ring.Show(decision(3, nil))
	for _, by := range []struct{ query, header string }{{"", e.id}, {"after=" + e.id, ""}, {"after=" + e.id + "0000", e.id}} {
		again := listen(t, url, by.query, by.header)
		if at := again.next(); at.kind != "at" || at.id != e.id {
			t.Errorf("%+v: %+v", by, at)
		}
		if got := again.next(); got.kind != "decision" || exchanges(got.data) != "run-3" {
			t.Errorf("%+v: %+v", by, got)
		}
		again.leave()
	}
	for n := range 1003 {
		ring.Show(decision(n, nil))
	}
	late := listen(t, url, "text=run-1002", e.id)
	defer late.leave()
	late.next()
	if got := late.next(); got.kind != "gap" || got.data != "4\n" {
		t.Errorf("%+v", got)
	}
	if got := late.next(); got.kind != "decision" || exchanges(got.data) != "run-1002" {
		t.Errorf("%+v", got)
	}
	other := listen(t, url, "", "0123456789ab.1")
	defer other.leave()
	if got := other.next(); got.kind != "restart" {
		t.Errorf("%+v", got)
	}
}

// There is a limit to how many listen, and who leaves makes room.
func TestEvents_crowded(t *testing.T) {
	url := serve(t, console.NewRing())
	var all []*listener
	for range 32 {
		l := listen(t, url, "", "")
		l.next()
		all = append(all, l)
	}
	more := listen(t, url, "", "")
	more.leave()
	if more.status != http.StatusServiceUnavailable || more.header.Get("Retry-After") != "10" {
		t.Errorf("one too many: %d, %v", more.status, more.header)
	}
	for _, l := range all {
		l.leave()
	}
	deadline := time.After(20 * time.Second)
	for status := 0; status != http.StatusOK; {
		select {
		case <-deadline:
			t.Fatal("nobody's place is free again")
		default:
		}
		l := listen(t, url, "", "")
		status = l.status
		l.leave()
	}
}

// Who asks with HEAD is answered, and listens to nothing: what he asks for next on the connection would wait behind it for ever, and so would his place.
func TestEvents_head(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		w := &wire{ResponseWriter: httptest.NewRecorder()}
		pageOver(t, console.NewRing()).ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodHead, "http://localhost/events", nil))
		if ctx.Err() != nil || w.text() != "" || w.Header().Get("Content-Type") != "text/event-stream" {
			t.Errorf("%v, %q, %v", ctx.Err(), w.text(), w.Header())
		}
	})
}

// wire is a connection to somebody who reads, or does not.
type wire struct {
	http.ResponseWriter
	mu       sync.Mutex
	sent     bytes.Buffer
	stuck    bool
	deadline time.Time
	requests time.Time // the server's, for reading
}

// Write implements http.ResponseWriter.
func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	stuck, until := w.stuck, time.Until(w.deadline)
	if !stuck {
		w.sent.Write(b)
	}
	w.mu.Unlock()
	if stuck {
		<-time.After(until)
		return 0, os.ErrDeadlineExceeded
	}
	return len(b), nil
}

// Flush implements http.Flusher.
func (*wire) Flush() {}

// SetWriteDeadline is what http.ResponseController looks for.
func (w *wire) SetWriteDeadline(at time.Time) error {
	w.deadline = at
	return nil
}

// SetReadDeadline is the same.
func (w *wire) SetReadDeadline(at time.Time) error {
	w.requests = at
	return nil
}

func (w *wire) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent.String()
}

// A listener hears of us every fifteen seconds; one that takes nothing for five is dropped, and who decides does not wait for him.
func TestEvents_timesOf(t *testing.T) {
	ring := console.NewRing()
	h := pageOver(t, ring)
	synctest.Test(t, func(t *testing.T) {
		w := &wire{ResponseWriter: httptest.NewRecorder(), requests: time.Now().Add(time.Minute)}
		ended := make(chan time.Time, 1)
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/events", nil)
		go func() {
			h.ServeHTTP(w, r)
			ended <- time.Now()
		}()
		synctest.Wait()
		if !strings.HasPrefix(w.text(), "retry: 2000\n\n") || !w.requests.IsZero() {
			t.Errorf("begun with %q, and read until %v", w.text(), w.requests)
		}
		before := strings.Count(w.text(), "event: at")
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		if got := strings.Count(w.text(), "event: at") - before; got != 4 {
			t.Errorf("%d heartbeats in a minute, want 4", got)
		}
		w.mu.Lock()
		w.stuck = true
		w.mu.Unlock()
		begun := time.Now()
		for n := range 5000 {
			ring.Show(decision(n, nil))
		}
		if time.Since(begun) != 0 {
			t.Errorf("who decides waited for %v", time.Since(begun))
		}
		if took := (<-ended).Sub(begun); took != 5*time.Second {
			t.Errorf("the slow reader is dropped after %v, want 5 s", took)
		}
	})
}
