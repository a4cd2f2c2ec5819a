package intercept

import (
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"

	"autodiscover-guard/rules"
)

// hints passes upstream's informational answers on (103 Early Hints, 102 and what is to come; RFC 9110, section 15.2 has a proxy forward them).
// net/http's Transport drops them, and so does goproxy. They go to the client past everybody, so nobody guarded gets any.
type hints struct {
	mu   sync.Mutex
	over bool // the final answer has begun, or the exchange has ended
}

// withTrace returns r with a trace by which upstream's informational answers reach the client, and an upload learns of its connection. Discovery has a trace of its own.
func (rw *responseWriter) withTrace(r *http.Request) *http.Request {
	hints, uploads := rw.x.plan.Step == rules.Ignore && r.ProtoAtLeast(1, 1), rw.x.upload != nil
	if rw.x.recognised() {
		return r // see traced
	}
	trace := &httptrace.ClientTrace{GotConn: awaitReader}
	if hints {
		trace.Got1xxResponse = rw.hint
	}
	if uploads || !rw.x.http1 {
		trace.GotConn = rw.x.onConn
	}
	if hints && uploads && r.Header.Get("Expect") != "" { // which net/http takes away in HTTP/2
		rw.x.upload.proceed = rw.proceed
	}
	return r.WithContext(httptrace.WithClientTrace(r.Context(), trace))
}

// hint is called in a goroutine of the Transport, which may be late.
func (rw *responseWriter) hint(code int, header textproto.MIMEHeader) error {
	if code != http.StatusContinue { // which is said where the body is read
		rw.inform(code, header)
	}
	return nil
}

// proceed lets a client that waits for it send its request's body. In HTTP/1 net/http (go1.26, server.go: expectContinueReader) would say so in the goroutine that
// reads the body, in the middle of a hint if need be.
func (rw *responseWriter) proceed() { rw.inform(http.StatusContinue, nil) }

func (rw *responseWriter) inform(code int, header textproto.MIMEHeader) {
	rw.hints.mu.Lock()
	defer rw.hints.mu.Unlock()
	if rw.hints.over {
		return
	}
	h := rw.inner.Header()
	final := maps.Clone(h)
	clear(h)
	maps.Copy(h, http.Header(header))
	stripHopByHop(h, false)
	// A hint has no length, and what is said of one goes no further. But it has net/http write a copy of the fields (go1.26, h2_bundle.go: writeHeader), which it may do
	// when the stream has been reset and we are back here: a map that is written to meanwhile would end the process.
	h.Set("Content-Length", "0")
	rw.inner.WriteHeader(code)
	clear(h)
	maps.Copy(h, final)
}

// end lets no hint through any more.
func (h *hints) end() {
	h.mu.Lock()
	h.over = true
	h.mu.Unlock()
}
