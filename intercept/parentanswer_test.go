package intercept_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// A proxy's 2xx is the end of its words, whatever length or coding it names (RFC 9110, section 9.3.6), and 1xx is their beginning: the tunnel is
// there at once, and no byte of it is lost.
func TestParent_answersToConnect(t *testing.T) {
	for name, answer := range map[string]string{
		"plain":              "HTTP/1.1 200 OK\r\n\r\n",
		"no length":          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"a length":           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		"two lengths":        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
		"no number":          "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
		"chunked":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"an unknown coding":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"both":               "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.0":           "HTTP/1.0 200 Connection established\r\nProxy-agent: old\r\n\r\n",
		"no reason":          "HTTP/1.1 200\r\n\r\n",
		"201":                "HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\n",
		"100":                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"several of 1xx":     "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		"bare line feeds":    "HTTP/1.1 200 OK\n\n",
		"as many as allowed": strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 8) + "HTTP/1.1 200 OK\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := &uplink{url: "http://" + listen(t, func(c net.Conn) {
				r := bufio.NewReader(c)
				if _, err := http.ReadRequest(r); err == nil {
					_, _ = io.WriteString(c, answer+"220 mail\r\n")
					_, _ = io.Copy(c, r)
				}
			})}
			w := u.world(t, jsonAnswer(""), timeouts(func(c *intercept.UpstreamConfig) { c.DialTimeout = 2 * time.Second }))
			c, err := w.connect(bank + ":25")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, "hello")
			got := make([]byte, len("220 mail\r\nhello"))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != "220 mail\r\nhello" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// What is no final answer, or none of HTTP/1, is not waited for.
func TestParent_answersThatLeadNowhere(t *testing.T) {
	for answer, text := range map[string]string{
		strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 9) + "HTTP/1.1 200 OK\r\n\r\n": "does not speak proper HTTP",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n":                 "gives no tunnel (101)",
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 1000\r\n\r\n":                         "refuses to lead there (403)",
		"HTTP/1.1 +20 OK\r\n\r\n":                    "does not speak proper HTTP",
		"HTTP/1.1 2000 OK\r\n\r\n":                   "does not speak proper HTTP",
		"ICY 200 OK\r\n\r\n":                         "does not speak proper HTTP",
		"220 mail.secret-internal.net ESMTP\r\n\r\n": "does not speak proper HTTP",
		"HTTP/1.1 200 OK\r\nno field\r\n\r\n":        "does not speak proper HTTP",
	} {
		u := &uplink{url: "http://" + listen(t, func(c net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, answer)
				_, _ = io.Copy(io.Discard, c) // until the guard hangs up
			}
		})}
		w := u.world(t, jsonAnswer(""))
		want := bank + " cannot be reached: the upstream proxy " + text + " (proxy)."
		if _, err := w.connect(bank + ":25"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", answer, err, want)
		}
	}
}
