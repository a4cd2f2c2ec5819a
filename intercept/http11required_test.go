package intercept_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
)

// olderOnly is an upstream that offers HTTP/2 and then ends each of its streams with HTTP_1_1_REQUIRED; streams counts them.
func olderOnly(t *testing.T, web func() *authority, upstream http.HandlerFunc, streams *atomic.Int64) string {
	return turningAway(t, web, upstream, func(framer *http2.Framer, stream uint32) bool {
		streams.Add(1)
		_ = framer.WriteRSTStream(stream, http2.ErrCodeHTTP11Required)
		return true
	})
}

// turningAway is an upstream that offers HTTP/2 and then hands each request to away, when it has come to its end or reached 64 KiB; where that returns false its connection ends.
func turningAway(t *testing.T, web func() *authority, upstream http.HandlerFunc, away func(framer *http2.Framer, stream uint32) bool) string {
	t.Helper()
	s := httptest.NewUnstartedServer(upstream)
	s.TLS = &tls.Config{
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return web().Leaf(hello.ServerName) },
	}
	s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){"h2": func(_ *http.Server, c *tls.Conn, _ http.Handler) {
		if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		framer := http2.NewFramer(c, c)
		_ = framer.WriteSettings()
		for got := 0; ; {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			switch frame := frame.(type) {
			case *http2.SettingsFrame:
				if !frame.IsAck() {
					_ = framer.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				got = 0
				if frame.StreamEnded() && !away(framer, frame.StreamID) {
					return
				}
			case *http2.DataFrame:
				if got += len(frame.Data()); (frame.StreamEnded() || got >= 65535) && !away(framer, frame.StreamID) {
					return
				}
			}
		}
	}}
	s.StartTLS()
	t.Cleanup(func() { over(t, s.Close) })
	return s.Listener.Addr().String()
}

// A server that wants HTTP/1.1 is asked again in it, with the whole body, where there is one to be had.
func TestHTTP11Required_isAskedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		asks            func(testing.TB) *http.Request
		status          int
		streams, asked  int64
		body, forwarded bool
	}{
		"a question": {func(tb testing.TB) *http.Request { return ask(tb, "https", "user@corp-mail.net") }, 200, 1, 1, false, true},
		"a question with a body": {func(tb testing.TB) *http.Request {
			return poxAsk(tb, "https://opened.net"+poxPath, "user@corp-mail.net")
		}, 200, 1, 1, true, true},
		"no discovery": {func(tb testing.TB) *http.Request { return request(tb, http.MethodGet, "https://opened.net/", "") }, 200, 1, 1, false, false},
		"no discovery, a body": {func(tb testing.TB) *http.Request {
			return request(tb, http.MethodPost, "https://opened.net/", "<Request></Request>")
		}, 200, 1, 1, true, false},
		"no discovery, a body that is gone": {func(tb testing.TB) *http.Request {
			return request(tb, http.MethodPost, "https://opened.net/", strings.Repeat("<Request>", 8<<10))
		}, 502, 1, 0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w *world
			var streams atomic.Int64
			s := &spy{next: jsonAnswer("{}")}
			w = newWorld(t, nil, everywhere(olderOnly(t, func() *authority { return w.web }, s.handle, &streams)))
			client := w.client(true)
			got := send(t, client, c.asks(t))
			if got.StatusCode != c.status || c.status == 200 && got.body != "{}" {
				t.Errorf("got %s %q", got.Status, got.body)
			}
			if streams.Load() != c.streams || s.asked.Load() != c.asked {
				t.Errorf("asked %d times in HTTP/2 and %d times in HTTP/1.1, want %d and %d", streams.Load(), s.asked.Load(), c.streams, c.asked)
			}
			if raw := s.heard(); raw != "" && (!strings.Contains(raw, " HTTP/1.1\r\n") || strings.Contains(raw, "</Request>") != c.body) {
				t.Errorf("upstream got\n%s", raw)
			}
			if c.forwarded {
				if record := w.decision(1); record["credentials"].(map[string]any)["forwarded"] != true || record["upstream"].(map[string]any)["error"] != "" {
					t.Errorf("got record %v", record)
				}
			}
		})
	}
}

// A server that turns a request away before it has looked at it is asked again, with a body that is short; over another connection, where this one ends. One that may have done what it was
// asked is not.
func TestTurnedAway_isAskedAgain(t *testing.T) {
	t.Parallel()
	const body = "<Request></Request>"
	for name, c := range map[string]struct {
		away   func(framer *http2.Framer, stream uint32) bool
		status int
		tries  int64
	}{
		"REFUSED_STREAM": {func(framer *http2.Framer, stream uint32) bool {
			return framer.WriteRSTStream(stream, http2.ErrCodeRefusedStream) == nil
		}, http.StatusNoContent, 2},
		"GOAWAY": {func(framer *http2.Framer, _ uint32) bool {
			_ = framer.WriteGoAway(0, http2.ErrCodeNo, nil)
			return false
		}, http.StatusNoContent, 2},
		"PROTOCOL_ERROR": {func(framer *http2.Framer, stream uint32) bool {
			return framer.WriteRSTStream(stream, http2.ErrCodeProtocol) == nil
		}, http.StatusBadGateway, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w *world
			var tries atomic.Int64
			addr := turningAway(t, func() *authority { return w.web }, nil, func(framer *http2.Framer, stream uint32) bool {
				if tries.Add(1) < 2 {
					return c.away(framer, stream)
				}
				// The fields of an answer with status 204, as HPACK has it in its table (RFC 7541, appendix A).
				return framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte{0x89}, EndHeaders: true, EndStream: true}) == nil
			})
			w = newWorld(t, nil, everywhere(addr))
			if got := send(t, w.client(true), request(t, http.MethodPost, "https://opened.net/", body)); got.StatusCode != c.status || tries.Load() != c.tries {
				t.Errorf("got %s %q behind %d tries, want %d behind %d", got.Status, got.body, tries.Load(), c.status, c.tries)
			}
		})
	}
}
