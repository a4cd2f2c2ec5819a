package intercept_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/elazarl/goproxy"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
)

// direct is a client that needs no guard: what it sees is what the guard must not change.
func (w *world) direct(h2 bool) *http.Transport {
	t := &http.Transport{
		TLSClientConfig:    &tls.Config{RootCAs: w.web.roots()},
		ForceAttemptHTTP2:  h2,
		DisableCompression: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			to := w.secure.Listener.Addr().String()
			if strings.HasSuffix(addr, ":80") {
				to = w.plain.Listener.Addr().String()
			}
			return new(net.Dialer).DialContext(ctx, network, to)
		},
	}
	w.tb.Cleanup(t.CloseIdleConnections)
	return t
}

func TestPass_sameBytesAndHeaders(t *testing.T) {
	text := []byte(strings.Repeat(suggest("user@corp-mail.net", stranger), 30))
	var gz, br bytes.Buffer
	zw := gzip.NewWriter(&gz)
	_, _ = zw.Write(text)
	_ = zw.Close()
	bw := brotli.NewWriter(&br)
	_, _ = bw.Write(text)
	_ = bw.Close()
	bodies := map[string]struct {
		coding string
		data   []byte
	}{
		"identity": {"", text},
		"gzip":     {"gzip", gz.Bytes()},
		"br":       {"br", br.Bytes()},
		"unknown":  {"x-mystery", text},
		"lie":      {"gzip", text},
		"binary":   {"", []byte{0, 1, 2, 0xff, 0xfe, '\r', '\n'}},
		"empty":    {"", nil},
	}
	upstream := func(w http.ResponseWriter, r *http.Request) {
		b := bodies[r.URL.Query().Get("services")]
		h := w.Header()
		h.Set("Date", "Mon, 08 Dec 2025 21:32:58 GMT")
		h["Set-Cookie"] = []string{"a=1", "b=2; Path=/"}
		h.Set("Etag", `"strong"`)
		h.Set("X-Odd", "  spaced value")
		h["X-Twice"] = []string{"one", "two"}
		if b.coding != "" {
			h.Set("Content-Encoding", b.coding)
		}
		if r.URL.Query().Get("timeout") == "typed" {
			h.Set("Content-Type", "application/json; charset=utf-8")
		} else {
			h["Content-Type"] = nil
		}
		if r.URL.Query().Get("app") == "chunked" {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
		} else {
			h.Set("Content-Length", strconv.Itoa(len(b.data)))
		}
		_, _ = w.Write(b.data)
	}
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, upstream)
			client, direct := door.client(w), w.direct(door.name == "connect-h2")
			for _, target := range []string{central + "/autodetect/detect", "opened.net/some/page", bank + "/page"} {
				for name := range bodies {
					for _, framing := range []string{"chunked", "length"} {
						for _, typed := range []string{"typed", "untyped"} {
							url := fmt.Sprintf("%s://%s?services=%s&app=%s&timeout=%s", door.scheme, target, name, framing, typed)
							want := send(t, direct, request(t, http.MethodGet, url, ""))
							got := send(t, client, request(t, http.MethodGet, url, ""))
							compare(t, url, got, want)
						}
					}
				}
			}
		})
	}
}

func compare(t *testing.T, name string, got, want reply) {
	t.Helper()
	if got.StatusCode != want.StatusCode || got.body != want.body || got.err != nil || want.err != nil {
		t.Errorf("%s: got %d, %d bytes, %v; want %d, %d bytes, %v", name, got.StatusCode, len(got.body), got.err, want.StatusCode, len(want.body), want.err)
	}
	if want.ContentLength >= 0 && got.ContentLength != want.ContentLength {
		t.Errorf("%s: got Content-Length %d, want %d", name, got.ContentLength, want.ContentLength)
	}
	if want.ContentLength < 0 {
		got.Header.Del("Content-Length") // a short body of unknown length is given one by net/http
	}
	if d := cmp.Diff(want.Header, got.Header); d != "" {
		t.Errorf("%s: header differs (-want +got):\n%s", name, d)
	}
}

var ownVia = regexp.MustCompile(`(?m)^Via: (1\.1|2\.0) autodiscover-guard-[0-9a-f]{8}\r\n`)

func TestPass_requestArrivesAsItWasSent(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			s := &spy{next: jsonAnswer("{}")}
			w := newWorld(t, s.handle)
			for _, target := range []string{"opened.net/page?x=%20y&&z", central + "/autodetect/detect?app=a%20b"} {
				for _, method := range []string{http.MethodGet, http.MethodPost, "PROPFIND"} {
					for _, agent := range []string{"", "Thunderbird/153"} {
						r := func() *http.Request {
							r := request(t, method, door.scheme+"://"+target, "")
							if method != http.MethodGet {
								r = request(t, method, door.scheme+"://"+target, "some body")
							}
							r.Header["User-Agent"] = []string{agent}
							r.Header.Set("Accept-Encoding", "gzip, br, zstd")
							r.Header.Set("Cookie", "a=b")
							r.Header["X-Twice"] = []string{"1", "2"}
							return r
						}
						send(t, w.direct(door.name == "connect-h2"), r())
						want := s.heard()
						send(t, door.client(w), r())
						got := ownVia.ReplaceAllString(s.heard(), "") // RFC 9110 wants it; via_test.go looks at it
						if strings.Contains(target, "autodetect") && door.scheme == "https" {
							want = strings.Replace(want, "HTTP/1.1", "HTTP/2.0", 1) // discovery is asked over shared connections
						}
						if d := cmp.Diff(want, got); d != "" {
							t.Errorf("%s %s (-direct +guarded):\n%s", method, target, d)
						}
					}
				}
			}
		})
	}
}

func TestPass_headAndBodilessAnswers(t *testing.T) {
	upstream := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Mon, 08 Dec 2025 21:32:58 GMT")
		status, _ := strconv.Atoi(r.URL.Query().Get("timeout"))
		if status == 200 {
			w.Header().Set("Content-Length", "12345")
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(status)
	}
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, upstream)
			for _, target := range []string{"opened.net/page", central + "/autodetect/detect", "imap.lab.test/.well-known/jmap"} {
				for _, c := range []struct{ method, status string }{{"HEAD", "200"}, {"GET", "204"}, {"GET", "304"}, {"HEAD", "404"}, {"GET", "404"}} {
					if strings.HasPrefix(target, "imap.lab.test") && c.method+c.status != "HEAD200" {
						continue // what has no settings for somebody guarded is answered in the dialect's own way
					}
					url := door.scheme + "://" + target + "?timeout=" + c.status
					want := send(t, w.direct(door.name == "connect-h2"), request(t, c.method, url, ""))
					got := send(t, door.client(w), request(t, c.method, url, ""))
					compare(t, c.method+" "+url, got, want)
				}
			}
		})
	}
}

func TestRefuse_headHasTheHeaderOnly(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)))
			get := send(t, door.client(w), ask(t, door.scheme, "email@example.com"))
			r := ask(t, door.scheme, "email@example.com")
			r.Method = http.MethodHead
			head := send(t, door.client(w), r)
			if head.StatusCode != get.StatusCode || head.body != "" || head.ContentLength != get.ContentLength {
				t.Errorf("got %d, length %d, body %q; GET had %d, length %d", head.StatusCode, head.ContentLength, head.body, get.StatusCode, get.ContentLength)
			}
		})
	}
}

// An event stream must not wait in a buffer: the client hears each event when upstream says it.
func TestPass_streamsWhatIsNotDiscovery(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			heard := make(chan struct{})
			w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "first")
				w.(http.Flusher).Flush()
				<-heard
				_, _ = io.WriteString(w, "second")
			})
			resp, err := door.client(w).RoundTrip(request(t, http.MethodGet, door.scheme+"://opened.net/stream", ""))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			first := make([]byte, 5)
			if _, err := io.ReadFull(resp.Body, first); err != nil {
				t.Fatal(err)
			}
			close(heard)
			if rest, err := io.ReadAll(resp.Body); string(rest) != "second" || err != nil {
				t.Errorf("got %q, %v", rest, err)
			}
			if w.decisions.Len() != 0 {
				t.Error("what is not discovery was recorded")
			}
		})
	}
}

// What stands behind a body is nobody's business but for those who are guarded: nobody judges it.
func TestPass_trailers(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				body := "{}"
				if r.URL.Path != "/page" {
					body = suggest("user@"+r.Header.Get("X-Of"), "imap.lab.test")
				}
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Trailer", "X-Sum")
				_, _ = io.WriteString(w, body)
				w.Header().Set("X-Sum", stranger)
			})
			get := func(url, of string) reply {
				r := request(t, http.MethodGet, door.scheme+"://"+url, "")
				r.Header.Set("X-Of", of)
				r.Header.Set("X-Email", "user@"+of)
				return send(t, door.client(w), r)
			}
			for _, url := range []string{"opened.net/page", central + detect, "opened.net/settings"} {
				if got := get(url, "shop.com"); got.Trailer.Get("X-Sum") != stranger || got.body == "" {
					t.Errorf("%s: got trailer %v behind %q", url, got.Trailer, got.body)
				}
			}
			for _, url := range []string{central + detect, "opened.net/settings"} {
				if got := get(url, "lab.test"); len(got.Trailer) != 0 || !strings.Contains(got.body, "imap.lab.test") {
					t.Errorf("%s: got trailer %v behind %q", url, got.Trailer, got.body)
				}
			}
			if r := w.decision(3); r["action"] != "pass" {
				t.Errorf("the last one was not passed as it stands: %v", r)
			}
		})
	}
}

// Nor do the trailers of an answer that another handler has put in the place of upstream's.
func TestPass_trailersOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, jsonAnswer("{}"), onResponse(func(resp *http.Response, _ *goproxy.ProxyCtx) *http.Response {
		resp.Body = io.NopCloser(strings.NewReader(suggest("user@"+resp.Request.Header.Get("X-Of"), "imap.lab.test")))
		resp.Trailer = http.Header{"X-Sum": {stranger}}
		return resp
	}))
	for of, want := range map[string]string{"lab.test": "", "shop.com": stranger} {
		r := ask(t, "https", "user@"+of)
		r.Header.Set("X-Of", of)
		if got := send(t, w.client(true), r); got.Trailer.Get("X-Sum") != want || !strings.Contains(got.body, "imap.lab.test") {
			t.Errorf("%s: got trailer %v behind %d %q", of, got.Trailer, got.StatusCode, got.body)
		}
	}
}
