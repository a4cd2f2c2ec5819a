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

// gate is what goproxy writes an answer to. It counts, it flushes what streams, and it keeps back what was not approved for a guarded
// exchange: a handler behind ours that returns nil makes goproxy v1.9.4, http.go write a 500 of its own.
type gate struct {
	w        http.ResponseWriter
	x        *exchange
	last     bool // nothing is read on this connection behind the answer, unless it turns into something else
	wrote    bool
	deaf     bool // the answer is complete; whatever follows is dropped
	status   int
	bytes    int64
	pace     *pace // of an answer in HTTP/2 that may have to wait for room
	hijacked net.Conn
	hints    hints
}

// Header implements http.ResponseWriter.
func (g *gate) Header() http.Header {
	g.hints.end()
	return g.w.Header()
}

// WriteHeader implements http.ResponseWriter.
func (g *gate) WriteHeader(code int) {
	if g.wrote {
		return
	}
	g.hints.end()
	if g.x.guarded() && code != g.x.status {
		g.refuse(reasonReplaced)
		return
	}
	g.status = code
	g.begin()
	g.wrote = true // not before: net/http panics at a status that is none, and then there is still an answer to give
	if g.x.stream {
		// Whoever subscribes, or talks in turns, waits for the header, and the first event may be hours away. It needs no room (RFC 9113, section 5.2.1: DATA alone does).
		g.Flush()
	}
}

// begin sends the header off. It is the last of a connection that has lived long enough, and of all when the plugin stops: net/http closes it behind the answer (server.go), and an
// HTTP/2 one when its streams are done (h2_bundle.go: GOAWAY). A connection that turns into a WebSocket is not net/http's to close, and its client would take the word for a refusal
// (RFC 6455, section 4.1).
func (g *gate) begin() {
	if g.status != http.StatusSwitchingProtocols && (g.last || g.x.upload.forsaken() || g.x.p.outlived(g.x.binding) || g.x.p.stopping.Err() != nil) {
		g.w.Header().Set("Connection", "close")
	}
	g.w.WriteHeader(g.status)
}

// outlived reports whether a client's connection has lived for Limits.Lifetime.
func (p *Plugin) outlived(b *binding) bool {
	return b != nil && time.Since(b.since) > p.limits.Lifetime
}

// Write implements http.ResponseWriter.
func (g *gate) Write(p []byte) (int, error) {
	if !g.wrote {
		g.WriteHeader(http.StatusOK)
	}
	if g.deaf {
		return len(p), nil
	}
	g.keepPace(len(p))
	g.pace.begin()
	defer g.pace.end()
	n, err := g.w.Write(p)
	g.bytes += int64(n)
	if err == nil && g.x.stream {
		g.Flush()
	}
	return n, err
}

// keepPace bounds how long the writes of an answer in HTTP/2 may be stuck, from the first on that net/http does not merely keep (h2_bundle.go:
// http2handlerChunkWriteSize).
func (g *gate) keepPace(next int) {
	if g.pace == nil && !g.x.h1 && (g.x.stream || g.bytes+int64(next) > 4<<10) {
		g.pace = g.x.p.traffic.newPace(g.x.p.limits.Stall, g.x.control)
	}
}

// buffers are what ReadFrom copies with.
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// ReadFrom implements io.ReaderFrom, which spares io.Copy a buffer for every answer.
func (g *gate) ReadFrom(src io.Reader) (int64, error) {
	buf := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buf)
	return io.CopyBuffer(justWriter{g}, src, buf[:])
}

// justWriter hides ReadFrom from io.CopyBuffer.
type justWriter struct{ io.Writer }

// Flush implements http.Flusher.
func (g *gate) Flush() {
	if !g.deaf {
		_ = http.NewResponseController(g.w).Flush()
	}
}

// Hijack implements http.Hijacker, for WebSockets.
func (g *gate) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	g.hints.end()
	c, rw, err := http.NewResponseController(g.w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	g.wrote = true
	g.hijacked = book(&g.x.p.traffic, c, g.x.letGo)
	return g.hijacked, rw, nil
}

// refuse writes the dialect's own refusal in the place of whatever stands there.
func (g *gate) refuse(reason string) {
	g.x.decision = g.x.withheld(reason)
	g.answer(g.x.compose(nil, g.x.decision.Answer))
}

// answer writes a complete answer, past every handler.
func (g *gate) answer(resp *http.Response) {
	g.hints.end()
	h := g.w.Header()
	clear(h)
	maps.Copy(h, resp.Header)
	g.wrote, g.deaf, g.status = true, true, resp.StatusCode
	g.begin()
	n, _ := io.Copy(g.w, resp.Body)
	g.bytes += n
}

// settle ends what goproxy leaves open: the client's side of a WebSocket (v1.9.4, http.go returns without closing it), and what net/http still keeps of
// an answer: it would write that when nobody can bound it any more, or not at all where the answer broke off.
func (g *gate) settle() {
	g.hints.end()
	if g.pace == nil && g.wrote && g.x.cut.Load() {
		g.pace = g.x.p.traffic.newPace(g.x.p.limits.Stall, g.x.control)
	}
	if g.pace != nil {
		g.pace.begin()
		g.Flush()
		g.pace.end()
	}
	if g.hijacked != nil {
		_ = g.hijacked.Close()
	}
}
