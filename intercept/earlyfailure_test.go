package intercept_test

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// An upstream that cannot be reached is told at once, also to a client that has not sent all of its request yet, and may be waiting for just that.
func TestFailure_isToldBeforeTheBodyEnds(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	w := newWorld(t, jsonAnswer(""), resolve("opened.net:80", closed.Addr().String()), resolve("opened.net:443", closed.Addr().String()))
	for way, dial := range pollWays(t, w) {
		for _, length := range []string{"Content-Length: 10", "Transfer-Encoding: chunked"} {
			c, at, err := dial()
			if err != nil {
				t.Fatal(way, err)
			}
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = io.WriteString(c, "POST "+at+"/ HTTP/1.1\r\nHost: opened.net\r\n"+length+"\r\n\r\n1\r\n")
			if got := answer(t, c, http.MethodPost); got.StatusCode != http.StatusBadGateway {
				t.Errorf("%s, %s: got %d %q", way, length, got.StatusCode, got.body)
			}
			_ = c.Close()
		}
	}
}
