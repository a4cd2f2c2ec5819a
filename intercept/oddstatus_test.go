package intercept_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
)

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
