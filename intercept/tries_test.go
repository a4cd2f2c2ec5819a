package intercept_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
)

// A server that turns away whatever it is asked, on each of its connections, is given up after a few tries; net/http alone goes on for as long as its client waits. What may have done
// something is tried once.
func TestTurnedAway_comesToAnEnd(t *testing.T) {
	t.Parallel()
	protocolError := func(framer *http2.Framer, stream uint32) bool {
		return framer.WriteRSTStream(stream, http2.ErrCodeProtocol) == nil
	}
	leaving := func(framer *http2.Framer, _ uint32) bool {
		_ = framer.WriteGoAway(0, http2.ErrCodeNo, nil)
		return false
	}
	asks := func(method, body string) func(testing.TB) *http.Request {
		return func(tb testing.TB) *http.Request { return request(tb, method, "https://opened.net/", body) }
	}
	question := func(tb testing.TB) *http.Request {
		return poxAsk(tb, "https://opened.net"+poxPath, "user@corp-mail.net")
	}
	const many = 40
	for name, c := range map[string]struct {
		asks   func(testing.TB) *http.Request
		away   func(framer *http2.Framer, stream uint32) bool
		until  int64 // it is answered then
		status int
		most   int64 // tries
	}{
		"PROTOCOL_ERROR":                         {asks(http.MethodGet, ""), protocolError, many, http.StatusBadGateway, 16},
		"PROTOCOL_ERROR to what changes":         {asks(http.MethodPost, ""), protocolError, many, http.StatusBadGateway, 1},
		"PROTOCOL_ERROR to a question":           {question, protocolError, many, http.StatusBadGateway, 16},
		"GOAWAY":                                 {asks(http.MethodGet, ""), leaving, many, http.StatusBadGateway, 16},
		"GOAWAY to what changes":                 {asks(http.MethodPost, ""), leaving, many, http.StatusBadGateway, 16},
		"GOAWAY to what changes, with a body":    {asks(http.MethodPost, "<Request></Request>"), leaving, many, http.StatusBadGateway, 16},
		"GOAWAY to a question":                   {question, leaving, many, http.StatusBadGateway, 16},
		"GOAWAY, but the third time":             {asks(http.MethodGet, ""), leaving, 3, http.StatusNoContent, 3},
		"GOAWAY to what changes, but the second": {asks(http.MethodPost, ""), leaving, 2, http.StatusNoContent, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w *world
			var tries atomic.Int64
			addr := turningAway(t, func() *authority { return w.web }, nil, func(framer *http2.Framer, stream uint32) bool {
				if tries.Add(1) < c.until {
					return c.away(framer, stream)
				}
				return framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte{0x89}, EndHeaders: true, EndStream: true}) == nil
			})
			w = newWorld(t, nil, everywhere(addr))
			if got := send(t, w.client(true), c.asks(t)); got.StatusCode != c.status || tries.Load() > c.most {
				t.Errorf("got %s %q behind %d tries, want %d behind %d at most", got.Status, got.body, tries.Load(), c.status, c.most)
			}
		})
	}
}
