package intercept

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"
)

// responseWriter is what goproxy writes an answer to. It counts, it flushes what streams, and it keeps back what was not approved for a guarded
// exchange: a handler behind ours that returns nil makes goproxy v1.9.4, http.go write a 500 of its own.
type responseWriter struct {
	inner    http.ResponseWriter
	x        *exchange
	last     bool // nothing is read on this connection behind the answer, unless it turns into something else
	wrote    bool
	complete bool // the answer is complete; whatever follows is dropped
	status   int
	bytes    int64
	stall    *stallTimer // of an answer in HTTP/2 that may have to wait for room
	hijacked net.Conn
	hints    hints
}

// Header implements http.ResponseWriter.
func (rw *responseWriter) Header() http.Header {
	rw.hints.end()
	return rw.inner.Header()
}

// WriteHeader implements http.ResponseWriter.
func (rw *responseWriter) WriteHeader(code int) {
	if rw.wrote {
		return
	}
	rw.hints.end()
	if rw.x.guarded() && code != rw.x.approved.status {
		rw.refuse(reasonReplaced)
		return
	}
	rw.status = code
	rw.sendHeader()
	rw.wrote = true // not before: net/http panics at a status that is none, and then there is still an answer to give
	if rw.x.stream {
		// Whoever subscribes, or talks in turns, waits for the header, and the first event may be hours away. It needs no room (RFC 9113, section 5.2.1: DATA alone does).
		rw.Flush()
	}
}

// sendHeader sends the header off. It is the last of a connection that has lived long enough, and of all when the plugin stops: net/http closes it behind the answer (server.go), and an
// HTTP/2 one when its streams are done (h2_bundle.go: GOAWAY). A connection that turns into a WebSocket is not net/http's to close, and its client would take the word for a refusal
// (RFC 6455, section 4.1).
func (rw *responseWriter) sendHeader() {
	if rw.status != http.StatusSwitchingProtocols && (rw.last || rw.x.upload.endsConnection() || rw.x.p.pastLifetime(rw.x.binding) || rw.x.p.stopping.Err() != nil) {
		rw.inner.Header().Set("Connection", "close")
	}
	rw.inner.WriteHeader(rw.status)
}

// pastLifetime reports whether a client's connection has lived for longer than Limits.Lifetime.
func (p *Plugin) pastLifetime(b *binding) bool {
	return b != nil && time.Since(b.since) > p.limits.Lifetime
}

// Write implements http.ResponseWriter.
func (rw *responseWriter) Write(p []byte) (int, error) {
	if !rw.wrote {
		rw.WriteHeader(http.StatusOK)
	}
	if rw.complete {
		return len(p), nil
	}
	rw.startStallTimer(len(p))
	rw.stall.begin()
	defer rw.stall.end()
	n, err := rw.inner.Write(p)
	rw.bytes += int64(n)
	if err == nil && rw.x.stream {
		rw.Flush()
	}
	return n, err
}

// startStallTimer bounds how long the writes of an answer in HTTP/2 may be stuck, from the first on that net/http does not merely keep (h2_bundle.go:
// http2handlerChunkWriteSize).
func (rw *responseWriter) startStallTimer(next int) {
	if rw.stall == nil && !rw.x.http1 && (rw.x.stream || rw.bytes+int64(next) > 4<<10) {
		rw.stall = rw.x.p.traffic.newStallTimer(rw.x.p.limits.Stall, rw.x.control)
	}
}

// buffers are what ReadFrom copies with.
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// ReadFrom implements io.ReaderFrom, which spares io.Copy a buffer for every answer.
func (rw *responseWriter) ReadFrom(src io.Reader) (int64, error) {
	buf := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buf)
	return io.CopyBuffer(writerOnly{rw}, src, buf[:])
}

// writerOnly hides ReadFrom from io.CopyBuffer.
type writerOnly struct{ io.Writer }

// Flush implements http.Flusher.
func (rw *responseWriter) Flush() {
	if !rw.complete {
		_ = http.NewResponseController(rw.inner).Flush()
	}
}

// Hijack implements http.Hijacker, for WebSockets.
func (rw *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	rw.hints.end()
	c, bufrw, err := http.NewResponseController(rw.inner).Hijack()
	if err != nil {
		return nil, nil, err
	}
	rw.wrote = true
	rw.hijacked = track(&rw.x.p.traffic, c, rw.x.closeSwitched)
	return rw.hijacked, bufrw, nil
}

// refuse writes the dialect's own refusal in the place of whatever stands there.
func (rw *responseWriter) refuse(reason string) {
	rw.x.decision = rw.x.withheld(reason)
	rw.answer(rw.x.compose(nil, rw.x.decision.Answer))
}

// answer writes a complete answer, past every handler.
func (rw *responseWriter) answer(resp *http.Response) {
	rw.hints.end()
	h := rw.inner.Header()
	clear(h)
	maps.Copy(h, resp.Header)
	rw.wrote, rw.complete, rw.status = true, true, resp.StatusCode
	rw.sendHeader()
	n, _ := io.Copy(rw.inner, resp.Body)
	rw.bytes += n
}

// finish ends what goproxy leaves open: the client's side of a WebSocket (v1.9.4, http.go returns without closing it), and what net/http still keeps of
// an answer: it would write that when nobody can bound it any more, or not at all where the answer broke off.
func (rw *responseWriter) finish() {
	rw.hints.end()
	if rw.stall == nil && rw.wrote && rw.x.cut.Load() {
		rw.stall = rw.x.p.traffic.newStallTimer(rw.x.p.limits.Stall, rw.x.control)
	}
	if rw.stall != nil {
		rw.stall.begin()
		rw.Flush()
		rw.stall.end()
	}
	if rw.hijacked != nil {
		_ = rw.hijacked.Close()
	}
}
