package intercept_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// Whoever waits for a 100 before it sends its body gets one where upstream sends one or reads, and else a final answer and the end of its connection.
func TestUpload_expect(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusExpectationFailed)
			return
		}
		_, _ = io.Copy(w, r.Body)
	})
	for way, dial := range pollWays(t, w) {
		for path, status := range map[string]int{"/": http.StatusOK, "/refused": http.StatusExpectationFailed} {
			c, at, err := dial()
			if err != nil {
				t.Fatal(way, err)
			}
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			r := bufio.NewReader(c)
			_, _ = io.WriteString(c, "POST "+at+path+" HTTP/1.1\r\nHost: opened.net\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
			resp, err := http.ReadResponse(r, nil)
			if err == nil && status == http.StatusOK {
				if resp.StatusCode != http.StatusContinue {
					t.Fatal(way, resp.Status)
				}
				_, _ = io.WriteString(c, "abc")
				resp, err = http.ReadResponse(r, nil)
			}
			if err != nil || resp.StatusCode != status || resp.Close != (status != http.StatusOK) {
				t.Fatal(way, path, resp, err)
			}
			if text, err := io.ReadAll(resp.Body); err != nil || status == http.StatusOK && string(text) != "abc" {
				t.Errorf("%s, %s: got %q, %v", way, path, text, err)
			}
			_ = c.Close()
		}
	}
}

// Who says that it waits and has nothing to send gets its answer. In HTTP/2 a body is waited for as well, and the 100 comes once.
func TestUpload_expectElsewhere(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	for way, dial := range pollWays(t, w) {
		c, at, err := dial()
		if err != nil {
			t.Fatal(way, err)
		}
		_, _ = io.WriteString(c, "GET "+at+"/ HTTP/1.1\r\nHost: opened.net\r\nExpect: 100-continue\r\n\r\n")
		if got := answer(t, c, http.MethodGet); got.StatusCode != http.StatusOK {
			t.Errorf("%s: got %s", way, got.Status)
		}
		_ = c.Close()
	}
	client := w.client(true)
	client.ExpectContinueTimeout = time.Hour
	r, heard := request(t, http.MethodPost, "https://opened.net/", "abc"), 0
	r.Header.Set("Expect", "100-continue")
	got := send(t, client, r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error {
		heard++
		return nil
	}})))
	if got.ProtoMajor != 2 || got.StatusCode != http.StatusOK || got.body != "abc" || heard != 1 {
		t.Errorf("HTTP/2: got %s %q after %d times 100", got.Status, got.body, heard)
	}
}

// Hints come when upstream likes, and a 100 when its body is read: both reach the client, each in one piece.
func TestUpload_expectBesideHints(t *testing.T) {
	const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	w := newWorld(t, taken(func(c net.Conn) {
		_, _ = io.WriteString(c, strings.Repeat(hints, 20)+"HTTP/1.1 100 Continue\r\n\r\n"+strings.Repeat(hints, 20))
		_, _ = io.ReadFull(c, make([]byte, 3))
		_, _ = io.WriteString(c, hints+"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
	}))
	overHTTP1(w)
	for way, dial := range pollWays(t, w) {
		for range 5 {
			c, at, err := dial()
			if err != nil {
				t.Fatal(way, err)
			}
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			r := bufio.NewReader(c)
			_, _ = io.WriteString(c, "POST "+at+"/ HTTP/1.1\r\nHost: opened.net\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
			heard := map[int]int{}
			resp, err := http.ReadResponse(r, nil)
			for err == nil && resp.StatusCode < http.StatusOK {
				if heard[resp.StatusCode]++; resp.StatusCode == http.StatusContinue {
					_, _ = io.WriteString(c, "abc")
				} else if resp.Header.Get("Link") != "</a>" {
					t.Errorf("%s: got %v", way, resp.Header)
				}
				resp, err = http.ReadResponse(r, nil)
			}
			if err != nil || resp.StatusCode != http.StatusOK || heard[http.StatusContinue] != 1 || heard[http.StatusEarlyHints] != 41 {
				t.Fatal(way, resp, err, heard)
			}
			if text, err := io.ReadAll(resp.Body); string(text) != "ok" || err != nil {
				t.Errorf("%s: got %q, %v", way, text, err)
			}
			_ = c.Close()
		}
	}
}
