package intercept_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// Clients that get their answer early, send the rest of the request's body and the next request behind it: that may cost them their connection, and nobody else anything. The transport
// still reads the body in a goroutine of its own, where a panic of net/http's ended the process.
func TestClientBody_readBehindAnEarlyAnswer(t *testing.T) {
	early := listen(t, func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReaderSize(c, 1)); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
			_, _ = io.Copy(io.Discard, c)
		}
	})
	w := newWorld(t, jsonAnswer("{}"), resolve("opened.net:80", early))
	for way, dial := range pollWays(t, w) {
		if way == "opened" {
			continue
		}
		for range 20 {
			c, at, err := dial()
			if err != nil {
				t.Fatal(way, err)
			}
			_ = c.SetDeadline(time.Now().Add(100 * time.Millisecond))
			r := bufio.NewReader(c)
			for range 3 {
				_, _ = io.WriteString(c, "POST "+at+"/ HTTP/1.1\r\nHost: opened.net\r\nContent-Length: 10\r\n\r\n0")
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					break
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_, _ = io.WriteString(c, "123456789")
			}
			_ = c.Close()
		}
	}
	if got := send(t, w.client(false), request(t, http.MethodGet, "https://"+central+"/", "")); got.body != "{}" {
		t.Errorf("afterwards: got %d %q", got.StatusCode, got.body)
	}
}
