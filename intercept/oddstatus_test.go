package intercept_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
)

// 204 has no length (RFC 9110, section 8.6). Where upstream gives it one all the same, HTTP/1 clients never see that, and those of HTTP/2 (nghttp2) take it for an error.
func TestStatus_noContentHasNoLength(t *testing.T) {
	var w *world
	says := func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n")
		}
	}
	plain := listen(t, says)
	secure := listen(t, func(c net.Conn) {
		says(tls.Server(c, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return w.web.Leaf(hello.ServerName) }}))
	})
	w = newWorld(t, jsonAnswer(""), resolve("opened.net:80", plain), resolve("opened.net:443", secure))
	for _, door := range doors {
		got := send(t, door.client(w), request(t, http.MethodGet, door.scheme+"://opened.net/", ""))
		if length, ok := got.Header["Content-Length"]; got.StatusCode != http.StatusNoContent || ok || got.err != nil {
			t.Errorf("%s: got %d with the length %q, %v", door.name, got.StatusCode, length, got.err)
		}
	}
}

// A status that is none is nothing that net/http could write: it panics. An upstream that says one does not speak HTTP (RFC 9110, section 15), and is told
// so like any other that does not; a guarded client gets its refusal.
func TestStatus_none(t *testing.T) {
	for _, status := range []string{"000", "007", "099"} {
		odd := listen(t, func(c net.Conn) {
			r := bufio.NewReader(c)
			if _, err := http.ReadRequest(r); err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 "+status+" Odd\r\nContent-Length: 2\r\n\r\nok")
			}
		})
		for _, door := range doors {
			if door.scheme != "http" {
				continue
			}
			w := newWorld(t, jsonAnswer(""), resolve("opened.net:80", odd), resolve(central+":80", odd))
			got := send(t, door.client(w), request(t, http.MethodGet, "http://opened.net/", ""))
			if got.StatusCode != http.StatusBadGateway || got.body != notHTTP {
				t.Errorf("%s, %s: got %d %q", status, door.name, got.StatusCode, got.body)
			}
			got = send(t, door.client(w), ask(t, "http", "user@opened.net"))
			if record := w.decision(1); got.StatusCode != http.StatusBadGateway || record["status"] != int64(http.StatusBadGateway) {
				t.Errorf("%s, %s: discovery: got %d %q, recorded %v", status, door.name, got.StatusCode, got.body, record)
			}
			quiet(t, send(t, door.client(w), ask(t, "http", somehow)))
			if n := w.life.FilterMessage("recovered from a panic").Len(); n > 0 {
				t.Errorf("%s, %s: %d panics", status, door.name, n)
			}
		}
	}
}
