package intercept_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// What HTTP has besides bodies and lengths comes through every door.
func TestHTTP_statusesWithoutBody(t *testing.T) {
	for _, door := range everyDoor {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/304":
					w.Header().Set("ETag", `"x"`)
					w.WriteHeader(http.StatusNotModified)
				case "/204":
					w.WriteHeader(http.StatusNoContent)
				default:
					http.ServeContent(w, r, "file.txt", testTime, strings.NewReader("0123456789"))
				}
			})
			client := door.client(w)
			for _, path := range []string{"/204", "/304", "/204"} { // one after the other on one connection
				if got := send(t, client, request(t, http.MethodGet, door.scheme+"://opened.net"+path, "")); got.body != "" || got.err != nil || "/"+got.Status[:3] != path {
					t.Errorf("%s: got %s %q, %v", path, got.Status, got.body, got.err)
				}
			}
			r := request(t, http.MethodGet, door.scheme+"://opened.net/file", "")
			r.Header.Set("Range", "bytes=2-4")
			if got := send(t, client, r); got.StatusCode != http.StatusPartialContent || got.body != "234" || got.Header.Get("Content-Range") != "bytes 2-4/10" {
				t.Errorf("Range: got %s %q %v", got.Status, got.body, got.Header)
			}
			if got := send(t, client, request(t, http.MethodHead, door.scheme+"://opened.net/file", "")); got.ContentLength != 10 || got.body != "" {
				t.Errorf("HEAD: got length %d, %q", got.ContentLength, got.body)
			}
		})
	}
}

var testTime = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

func TestHTTP_earlyHints(t *testing.T) {
	for _, door := range everyDoor {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", "</"+stranger+">; rel=preload")
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(http.StatusProcessing)
				w.Header().Del("Link")
				jsonAnswer(suggest("email@example.com"))(w, r)
			})
			client := door.client(w)
			var heard []int
			var links []string
			traced := func(r *http.Request) *http.Request {
				heard, links = nil, nil
				return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
					heard, links = append(heard, code), append(links, h.Get("Link")+h.Get("Content-Length"))
					return nil
				}}))
			}
			got := send(t, client, traced(request(t, http.MethodGet, door.scheme+"://opened.net/page", "")))
			if got.StatusCode != 200 || got.Header.Get("Link") != "" || len(heard) != 2 || heard[0] != 103 || links[0] != "</"+stranger+">; rel=preload" {
				t.Errorf("got %s %v after %v %q", got.Status, got.Header, heard, links)
			}
			got = send(t, client, traced(ask(t, door.scheme, "email@example.com")))
			if got.StatusCode != 200 || len(heard) != 0 {
				t.Errorf("guarded: got %s after %v %q, want nothing before the answer", got.Status, heard, links)
			}
		})
	}
}

// A client may leave in the middle of one, which costs nobody else anything: in HTTP/2 net/http still writes it then.
func TestHTTP_earlyHintsToNobody(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a>")
		for range 20 {
			w.WriteHeader(http.StatusEarlyHints)
		}
	})
	client := w.client(true)
	if got := send(t, client, request(t, http.MethodGet, "https://opened.net/", "")); got.ProtoMajor != 2 {
		t.Fatal(got.Proto)
	}
	var leaving sync.WaitGroup
	for range 50 {
		leaving.Go(func() {
			for range 4 {
				ctx, leave := context.WithCancel(t.Context())
				ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error {
					leave()
					return nil
				}})
				if resp, err := client.RoundTrip(request(t, http.MethodGet, "https://opened.net/", "").WithContext(ctx)); err == nil {
					_ = resp.Body.Close()
				}
				leave()
			}
		})
	}
	leaving.Wait()
}

// A client of HTTP/1.0 knows neither chunks nor hints nor kept connections.
func TestHTTP_version10(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "some")
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, "thing")
	})
	for name, text := range map[string]string{"": "GET http://opened.net/ HTTP/1.0\r\n\r\n", "with Host": "GET http://opened.net/ HTTP/1.0\r\nHost: opened.net\r\n\r\n"} {
		c := w.hold(t)
		_, _ = io.WriteString(c, text)
		all, err := io.ReadAll(c)
		head, body, _ := strings.Cut(string(all), "\r\n\r\n")
		if err != nil || body != "something" || !strings.HasPrefix(head, "HTTP/1.0 200 ") || strings.Contains(head, "chunked") {
			t.Errorf("%s: got %q, %v", name, all, err)
		}
	}
}
