package intercept_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"

	"github.com/elazarl/goproxy"
)

// What an upstream says unasked is nobody's answer, and those behind it are not shifted to other clients: a body behind HEAD or 304, or a whole answer. The connection is
// held where net/http has put it back and not looked yet at what else has come, until the next client has it. That one is answered over another connection, also
// where its request has a body that cannot be sent twice.
func TestUpstream_saysMoreThanItWasAsked(t *testing.T) {
	t.Parallel()
	const extra = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ntheirs"
	for name, c := range map[string]struct{ method, path, text, next string }{
		"an answer behind HEAD":        {http.MethodHead, "/", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n" + extra, ""},
		"a body with HEAD":             {http.MethodHead, "/", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ntheirs", ""},
		"a body before an upload":      {http.MethodHead, "/", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ntheirs", "change something"},
		"an answer behind 304":         {http.MethodGet, "/", "HTTP/1.1 304 Not Modified\r\n\r\n" + extra, ""},
		"an answer behind a body":      {http.MethodGet, "/", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ntheirs" + extra, ""},
		"an answer behind a long body": {http.MethodGet, "/", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000) + extra, ""},
		"an answer behind discovery's": {http.MethodGet, "/.well-known/caldav", "HTTP/1.1 204 No Content\r\n\r\n" + extra, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := listen(t, func(conn net.Conn) {
				for in := bufio.NewReader(conn); ; {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					body, _ := io.ReadAll(r.Body)
					text := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nours%s", 4+len(body), body)
					if r.Header.Get("X-First") != "" {
						text = c.text
					}
					_, _ = io.WriteString(conn, text)
				}
			})
			putBack, taken := make(chan struct{}), make(chan struct{})
			take := sync.OnceFunc(func() { close(taken) })
			w := newWorld(t, jsonAnswer(""), everywhere(addr), with(func(p *goproxy.ProxyHttpServer) {
				p.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
					trace := &httptrace.ClientTrace{GetConn: func(string) { take() }}
					if r.Header.Get("X-First") != "" {
						trace = &httptrace.ClientTrace{PutIdleConn: func(error) { close(putBack); <-taken }}
					}
					return r.WithContext(httptrace.WithClientTrace(r.Context(), trace)), nil
				})
			}))
			var first sync.WaitGroup
			first.Go(func() {
				r := request(t, c.method, "http://opened.net"+c.path, "")
				r.Header.Set("X-First", "yes")
				sent(w.client(false), r)
			})
			await(t, putBack)
			method := http.MethodGet
			if c.next != "" {
				method = http.MethodPost
			}
			if got := send(t, w.client(false), request(t, method, "http://opened.net"+c.path, c.next)); got.body != "ours"+c.next {
				t.Errorf("got %s %q", got.Status, got.body)
			}
			first.Wait()
		})
	}
}
