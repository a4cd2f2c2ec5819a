package intercept_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"autodiscover-guard/intercept"
)

// Clients that leave out the last byte of long questions have as much of them held in memory as there are slots for, and leave slots to others. Whoever
// finds none is answered quietly where he is guarded, and where he is not by a status that says so; nothing long goes by unread. Short ones are served as ever.
func TestLongBodies_takeSeats(t *testing.T) {
	t.Parallel()
	const slots = 64 // of one client
	long := strings.Repeat(" ", 100<<10)
	short := `{"a":1}` + long[:50<<10]
	s := &spy{next: func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/settings": // nobody's place, and perhaps discovery to its end
			w.Header().Set("Content-Type", "text/xml")
			_, _ = io.WriteString(w, "<Autodiscover>"+long+"</Autodiscover>")
		case "/page":
			_, _ = io.WriteString(w, "<!DOCTYPE html><html><body>"+long)
		case "/short": // and takes several reads
			w.Header().Set("Content-Length", strconv.Itoa(len(short)))
			_, _ = io.WriteString(w, short)
		default:
			jsonAnswer(suggest("", stranger)+long)(w, r)
		}
	}}
	w := newWorld(t, s.handle)
	client := w.client(false)
	pox := func(url string) reply {
		r := request(t, http.MethodPost, url, long)
		r.Header.Set("Content-Type", "text/xml")
		return send(t, client, r)
	}
	const opened = "http://opened.net" + poxPath
	if got := pox(opened); got.StatusCode != 200 {
		t.Fatalf("got %d %q", got.StatusCode, got.body)
	}
	for range slots + 1 {
		c := w.hold(t)
		_, _ = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: opened.net\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", opened, len(long)+1, long)
	}
	w.eventually(t, "the one without a slot", func(s intercept.Stats) bool { return s.RefusedBodies == 1 })
	asked := s.asked.Load()
	if got := pox(opened); got.StatusCode != http.StatusServiceUnavailable || !strings.Contains(got.body, "too many long questions") {
		t.Errorf("not guarded: got %d %q", got.StatusCode, got.body)
	}
	if got := pox("http://" + docHost + poxPath); got.StatusCode != 200 || !strings.Contains(got.body, "<ErrorCode>") {
		t.Errorf("guarded: got %d %q, want the quiet answer", got.StatusCode, got.body)
	}
	if s.asked.Load() != asked {
		t.Error("upstream was asked what nobody has read")
	}
	if got := send(t, client, ask(t, "http", "email@example.com")); got.body != suggest("email@example.com") {
		t.Errorf("a long answer, guarded: got %d, %d bytes; want the quiet answer", got.StatusCode, len(got.body))
	}
	if got := send(t, client, ask(t, "http", "user@corp-mail.net")); got.StatusCode != 200 || got.body != suggest("", stranger)+long {
		t.Errorf("a long answer, not guarded: got %d, %d bytes", got.StatusCode, len(got.body))
	}
	if got := send(t, client, request(t, http.MethodGet, "http://example.com/settings", "")); got.StatusCode != http.StatusServiceUnavailable || strings.Contains(got.body, "<Autodiscover>") {
		t.Errorf("perhaps discovery: got %d, %d bytes", got.StatusCode, len(got.body))
	}
	if got := send(t, client, request(t, http.MethodGet, "http://example.com/page", "")); got.StatusCode != 200 || !strings.HasSuffix(got.body, long) {
		t.Errorf("no discovery: got %d, %d bytes", got.StatusCode, len(got.body))
	}
	if got := send(t, client, request(t, http.MethodGet, "http://example.com/short", "")); got.StatusCode != 200 || got.body != short {
		t.Errorf("perhaps discovery, short: got %d, %d bytes", got.StatusCode, len(got.body))
	}
	if got := send(t, client, poxAsk(t, opened, "user@corp-mail.net")); got.StatusCode != 200 {
		t.Errorf("a short question: got %d %q", got.StatusCode, got.body)
	}
	if n := w.plugin.Stats().RefusedBodies; n < 6 {
		t.Errorf("got %d counted, want 6 at least", n)
	}
	other := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	if c, err := other.Dial("tcp", w.addr); err == nil { // a system that has no such address has no second client here
		defer c.Close()
		_, _ = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: opened.net\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", opened, len(long), long)
		if got := answer(t, c, http.MethodPost); got.StatusCode != 200 {
			t.Errorf("another client: got %d %q", got.StatusCode, got.body)
		}
	}
}

// Seats are free again when the exchanges have ended, in whatever way.
func TestLongBodies_giveSeatsBack(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(" ", 100<<10)
	w := newWorld(t, jsonAnswer(long))
	for name, client := range map[string]*http.Transport{"front": w.client(false), "filters alone": through(t, foreignProxy(w))} {
		for n := range 64 + 8 {
			r := request(t, http.MethodPost, "http://opened.net"+poxPath, long)
			r.Header.Set("Content-Type", "text/xml")
			if got := send(t, client, r); got.StatusCode != 200 || got.body != long {
				t.Fatalf("%s, exchange %d: got %d, %d bytes", name, n, got.StatusCode, len(got.body))
			}
		}
	}
	if n := w.plugin.Stats().RefusedBodies; n != 0 {
		t.Errorf("%d were refused", n)
	}
}
