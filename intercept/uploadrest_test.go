package intercept_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// What such a client says then is never taken for a request, wherever in the body it was.
func TestUpload_restIsNoRequest(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 16)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		early(false)(w, r)
	})
	overHTTP1(w)
	uploads(t, w, func(t *testing.T, c net.Conn, r *bufio.Reader, at string) {
		t.Helper()
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(resp.Body); string(text) != "no!" || err != nil {
			t.Errorf("got %q, %v", text, err)
		}
		for range 3 {
			_, _ = io.WriteString(c, "GET "+at+"/smuggled HTTP/1.1\r\nHost: opened.net\r\n\r\n")
		}
		if rest, _ := io.ReadAll(r); len(rest) > 0 {
			t.Errorf("got %q", rest)
		}
		if path := await(t, asked); path != "/upload" {
			t.Errorf("upstream was asked for %s", path)
		}
		select {
		case path := <-asked:
			t.Errorf("upstream was asked for %s", path)
		default:
		}
	})
}

// A connection whose requests were read whole stays, whichever of the two ended first.
func TestUpload_keepsTheConnection(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		word := make([]byte, 5)
		for range 2 {
			_, _ = io.ReadFull(r.Body, word)
			_, _ = w.Write(word)
			_ = control.Flush()
		}
	})
	for way, dial := range pollWays(t, w) {
		c, at, err := dial()
		if err != nil {
			t.Fatal(way, err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		r := bufio.NewReader(c)
		for _, path := range []string{"/upload", "/", "/upload", "/"} {
			_, _ = io.WriteString(c, "POST "+at+path+" HTTP/1.1\r\nHost: opened.net\r\nContent-Length: 10\r\n\r\n01234")
			if path != "/upload" {
				_, _ = io.WriteString(c, "56789")
			}
			resp, err := http.ReadResponse(r, nil)
			if err != nil || resp.Close {
				t.Fatal(way, path, resp, err)
			}
			if path == "/upload" {
				_, _ = io.WriteString(c, "56789")
			}
			if text, err := io.ReadAll(resp.Body); string(text) != "0123456789" || err != nil {
				t.Errorf("%s, %s: got %q, %v", way, path, text, err)
			}
		}
		_ = c.Close()
	}
}
