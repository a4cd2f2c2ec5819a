package intercept_test

import (
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// Clients share upstream connections, in the version of HTTP that they speak, and what one client said is not said for another.
func TestUpstream_connectionsAreShared(t *testing.T) {
	var conns atomic.Int64
	remotes := make(chan *http.Request, 16)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		remotes <- r
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "of-one-client"})
		_, _ = io.WriteString(w, "{}")
	})
	seen := map[string]bool{}
	for n := range 4 {
		r := request(t, http.MethodGet, "https://opened.net/", "")
		if n == 0 {
			r.SetBasicAuth("first", password)
			r.Header.Set("Cookie", "session=mine")
		}
		h2 := n%2 == 0
		send(t, w.client(h2), r)
		at := await(t, remotes)
		if (at.ProtoMajor == 2) != h2 {
			t.Errorf("upstream was asked in %s; the client speaks HTTP/2: %t", at.Proto, h2)
		}
		if n > 0 && (at.Header["Authorization"] != nil || at.Header["Cookie"] != nil) {
			t.Errorf("upstream got another client's %v", at.Header)
		}
		if !seen[at.RemoteAddr] {
			seen[at.RemoteAddr] = true
			conns.Add(1)
		}
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("four clients cost %d upstream connections, want one for each version", n)
	}
}

// ActiveSync keeps a request open for an hour. Only discovery has a limit for the whole answer.
func TestUpstream_longPollIsNotTimed(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			overdue := make(chan struct{})
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.URL.Path != "/Microsoft-Server-ActiveSync" {
					<-r.Context().Done()
					return
				}
				select {
				case <-overdue:
					_, _ = io.WriteString(w, "new mail")
				case <-r.Context().Done():
				}
			}, timeouts(func(u *intercept.UpstreamConfig) {
				u.AnswerTimeout, u.DialTimeout, u.TLSHandshakeTimeout = 50*time.Millisecond, 5*time.Second, 5*time.Second
			}))
			client := door.client(w)
			poll := make(chan reply, 1)
			go func() {
				poll <- sent(client, request(t, http.MethodPost, door.scheme+"://opened.net/Microsoft-Server-ActiveSync?Cmd=Ping", "<Ping/>"))
			}()
			for range 2 { // each takes as long as a discovery answer may
				if got := send(t, client, ask(t, door.scheme, "user@corp-mail.net")); got.StatusCode != http.StatusGatewayTimeout {
					t.Errorf("discovery: got %d %q", got.StatusCode, got.body)
				}
			}
			close(overdue)
			if got := await(t, poll); got.body != "new mail" {
				t.Errorf("the poll: got %d %q, %v", got.StatusCode, got.body, got.err)
			}
		})
	}
}

// A handshake that does not end leaves nothing behind: the password was not told to anybody.
func TestUpstream_handshakeTimeout(t *testing.T) {
	silent := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	short := timeouts(func(u *intercept.UpstreamConfig) { u.TLSHandshakeTimeout = 50 * time.Millisecond })
	w := newWorld(t, jsonAnswer(""), everywhere(silent), short)
	checkFailures(t, w, w.client(true), "https", "tls", "took too long for the TLS handshake", http.StatusGatewayTimeout)
	w = newWorld(t, jsonAnswer(""), everywhere(silent), timeouts(func(u *intercept.UpstreamConfig) { u.AnswerTimeout = 50 * time.Millisecond }))
	client := w.client(true)
	send(t, client, ask(t, "https", "user@corp-mail.net"))
	if record := w.decision(1); record["credentials"].(map[string]any)["forwarded"] != false || record["upstream"].(map[string]any)["error"] != "timeout" {
		t.Errorf("got record %v", record)
	}
	w.stop(client)
}

// The record says which check of the upstream's TLS failed.
func TestUpstream_checkIsRecorded(t *testing.T) {
	rogue := newAuthority(t, "rogue")
	cert, err := rogue.sign(&x509.Certificate{DNSNames: []string{central, "opened.net"}, NotAfter: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, jsonAnswer(""), everywhere(secured(t, jsonAnswer(""), cert)))
	send(t, w.client(true), ask(t, "https", "email@example.com"))
	if u := w.decision(1)["upstream"].(map[string]any); u["error"] != "tls" || u["check"] != "authority" {
		t.Errorf("got upstream %v", u)
	}
	page := request(t, http.MethodGet, "https://opened.net/<script>", "")
	page.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	got := send(t, w.client(true), page)
	want := "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1>\n" +
		"<p>autodiscover-guard: opened.net shows a certificate of an unknown authority (tls).</p></body></html>\n"
	if got.body != want || got.Header.Get("Content-Type") != "text/html; charset=utf-8" || got.Header.Get("Content-Security-Policy") != "default-src 'none'" {
		t.Errorf("got %v %q", got.Header, got.body)
	}
}

// RFC 7686, section 2: a name that only Tor knows is not asked for anywhere.
func TestUpstream_onion(t *testing.T) {
	w := newWorld(t, jsonAnswer(""))
	const host = "abcdefghijklmnop.onion"
	got := send(t, w.client(false), request(t, http.MethodGet, "http://"+host+"/", ""))
	checkPage(t, got, http.StatusBadGateway, "autodiscover-guard: "+host+" does not resolve to an address (dns).\n")
}

// endless is a body that nobody holds, which looks at the heap when most of it is sent.
type endless struct {
	left int64
	live func()
}

// Read implements io.Reader.
func (p *endless) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n := min(p.left, int64(len(b)))
	if late := int64(2 << 20); p.left > late && p.left-n <= late {
		p.live()
	}
	p.left -= n
	return int(n), nil
}

func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What is not discovery streams in both directions, and nobody holds more of it than a few buffers.
func TestPass_constantMemory(t *testing.T) {
	const size, most = 32 << 20, 12 << 20 // HTTP/2 windows of client, guard and upstream are in it
	for n, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			var before uint64
			look := func() {
				if now := live(); now > before+most {
					t.Errorf("%d MiB are held, of a body of %d MiB", (now-before)>>20, size>>20)
				}
			}
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				if n, err := io.Copy(io.Discard, r.Body); n != size || err != nil {
					t.Errorf("upstream got %d bytes, %v", n, err)
				}
				if r.URL.RawQuery == "length" {
					w.Header().Set("Content-Length", strconv.Itoa(size))
				}
				_, _ = io.Copy(w, &endless{size, look})
			})
			client := door.client(w)
			r := request(t, http.MethodPost, door.scheme+"://opened.net/upload?"+[]string{"length", ""}[n%2], "")
			r.Body, r.ContentLength = io.NopCloser(&endless{size, look}), size
			before = live()
			resp, err := client.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if n != size || err != nil {
				t.Errorf("the client got %d bytes, %v", n, err)
			}
			w.stop(client)
		})
	}
}
