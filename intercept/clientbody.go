package intercept

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// clientBody is a request's body that streams through. The transport reads it in a goroutine of its own, which neither the end of our handler stops nor the end of what it
// writes to: a client in the middle of an upload that says no more would never hear that upstream has failed (go1.26, transport.go: mapRoundTripError waits for that
// goroutine), and whoever is served behind an early answer would have two readers on one connection. So reading ends with the connection to upstream, while its answer is
// awaited, and in HTTP/1 for certain with the exchange; a connection of which the body was not read to its end then ends too (RFC 9112, section 9.3). In HTTP/2 it is the
// stream alone, which net/http sees to (h2_bundle.go: RST_STREAM with NO_ERROR, as in RFC 9113, section 8.1).
type clientBody struct {
	io.ReadCloser // net/http's own

	ctx     context.Context //nolint:containedctx // the request's, to tell who left first
	control *http.ResponseController
	conn    lingerer // the client's connection; nil where it is not ours
	http1   bool
	open    bool   // net/http was told not to read the body before the answer
	last    bool   // upstream said that it closes its connection behind the answer
	proceed func() // is called before the first read, where the client may wait for that

	begun atomic.Bool // something of it may have been read
	whole atomic.Bool // the end was read
	over  atomic.Bool // nothing more is read
	gone  atomic.Bool // because upstream is gone
	cut   atomic.Bool // it broke off

	kept      []byte              // in HTTP/2: what was read, as long as it is short
	long      bool                // it is not
	processed func() (maybe bool) // in HTTP/2: upstream may have done what the request asks for

	reading sync.Mutex // held by a read that is under way
	mu      sync.Mutex // guards the following, and with it the deadline of the connection, which is another request's later
	awaited bool       // upstream's answer is
	far     *notifyingConn
}

var (
	errBodyTaken = errors.New("the request's body is read by somebody else")
	errBodyCut   = errors.New("the request's body broke off")
)

// Read implements io.Reader. net/http (go1.26, server.go: connReader) panics where a read meets its own of the connection, and in the transport's goroutine nothing would
// stand between that and the end of the process.
func (b *clientBody) Read(p []byte) (n int, err error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	defer func() {
		if recover() != nil {
			n, err = 0, errBodyTaken
		}
	}()
	if b.over.Load() {
		return 0, b.refusal()
	}
	b.begun.Store(true)
	if b.proceed != nil {
		b.proceed()
		b.proceed = nil
	}
	n, err = b.ReadCloser.Read(p)
	b.keep(p[:n])
	switch {
	case err == io.EOF: //nolint:errorlint // as io.Reader has it; a wrapped one is none
		b.whole.Store(true)
	case err != nil && b.over.Load():
		err = b.refusal()
	case err != nil:
		b.cut.Store(true)
	}
	return n, err
}

// refusal is how a body ends of which nothing more is read. Where the connection to upstream was closed, the end looks like any other: to the transport an error of the body's would
// count for more than why upstream failed, and nothing can be written that would make half a body look whole.
func (b *clientBody) refusal() error {
	if b.whole.Load() || b.gone.Load() {
		return io.EOF
	}
	return errBodyTaken
}

// Close implements io.Closer. In HTTP/1 closing is reading on (go1.26, transfer.go: body.Close), which is net/http's to do behind the answer.
func (b *clientBody) Close() error {
	b.over.Store(true) // a read that is under way may end now, and the client has not broken anything off
	if !b.http1 {
		return b.ReadCloser.Close()
	}
	return nil
}

// startUpload makes x.upload of a body that is read while it goes upstream; that of a discovery request was read before.
func (x *exchange) startUpload(r *http.Request) {
	if x.control == nil || x.held || x.recognised() || x.settled() || r.Body == nil || r.Body == http.NoBody {
		return
	}
	x.upload = &clientBody{ReadCloser: r.Body, ctx: r.Context(), control: x.control, conn: lingererOf(r.Context()), http1: x.http1}
	if before := x.p.dialer.protocolErrors.Load(); !x.http1 {
		x.upload.processed = func() bool { return x.p.dialer.protocolErrors.Load() != before }
	}
}

// duplex keeps an HTTP/1 request body open when the answer begins: net/http (go1.26, server.go: writeHeader) would read and close it before
// the first byte of the answer. The transport, which may be about to look whether the body has ended, then finds it closed, takes that for a
// failure, and cuts upstream off in the middle of its answer.
func (b *clientBody) duplex() {
	if b == nil {
		return
	}
	_ = b.control.EnableFullDuplex()
	b.open = true
	b.mu.Lock()
	b.awaited = true
	b.mu.Unlock()
}

// answered ends the wait for upstream's answer. A client that left has not seen its upstream leave, and what upstream says of half a body, which TLS lets it take for the
// whole while we go, is no answer.
func (b *clientBody) answered(resp *http.Response, err error) error {
	if b == nil {
		return err
	}
	far := b.leave()
	switch {
	case b.cut.Load() || err == nil && b.breaksOff():
		if err == nil {
			_ = resp.Body.Close()
		}
		err = errBodyCut
	case err == nil:
		b.last = resp.Close
		return nil
	case far != nil && far.stuck.Load():
		err = syscall.ETIMEDOUT
	case b.gone.Load() && errors.Is(err, context.Canceled): // net/http takes a read that is ended for the client's departure
		err = io.ErrUnexpectedEOF
	}
	b.over.Store(true)
	return err
}

// breaksOff reports whether the client has left in the middle of the body. net/http (go1.26, server.go: connReader) cancels the request before it says so to the reader, and the
// transport may close upstream's connection in between.
func (b *clientBody) breaksOff() bool {
	return b.ctx.Err() != nil && !b.whole.Load() && !b.gone.Load()
}

// leave ends the wait for upstream's answer, so that upstreamClosed does nothing any more. It returns the connection that the request went by, where that is known.
func (b *clientBody) leave() *notifyingConn {
	b.mu.Lock()
	far := b.far
	b.awaited, b.far = false, nil
	b.mu.Unlock()
	if far != nil {
		far.forget(b)
	}
	return far
}

// onConn is told of the connection that the request goes upstream by, before anything of the request does.
func (b *clientBody) onConn(info httptrace.GotConnInfo) {
	awaitReader(info)
	far := notifyingConnOf(info)
	if far == nil { // of HTTP/2: a stream's end is known where its connection's is not, and closes the body
		return
	}
	b.mu.Lock()
	b.far = far
	if !b.begun.Load() { // it was not: what was told of another connection is over
		b.gone.Store(false)
		b.over.Store(false)
	}
	b.mu.Unlock()
	far.tell(b)
}

// keptBody is how much of a body is kept for another try.
const keptBody = 16 << 10

// keep keeps what was read for again.
func (b *clientBody) keep(p []byte) {
	if b.http1 || b.long {
		return
	}
	if b.long = len(b.kept)+len(p) > keptBody; b.long {
		b.kept = nil
		return
	}
	b.kept = append(b.kept, p...)
}

// again is the request's GetBody. In HTTP/1 nothing is read twice; but net/http (go1.26, transport.go: shouldRetryRequest) has to find one, or it gives up a request with a body whose connection has
// ended before anything was sent. In HTTP/2 a server may turn a request away that it has not looked at when all of the body has left (RFC 9113, section 8.7: GOAWAY, REFUSED_STREAM): a short one is sent
// once more; not where a stream has ended with PROTOCOL_ERROR meanwhile, this one perhaps (see countingResets).
func (b *clientBody) again() (io.ReadCloser, error) {
	switch {
	case b.http1 && !b.begun.Load():
		return b, nil
	case !b.http1 && b.whole.Load() && !b.long && !b.processed():
		return memoryBody(b.kept), nil
	}
	return nil, io.ErrUnexpectedEOF
}

// upstreamClosed is called when the connection to upstream was closed.
func (b *clientBody) upstreamClosed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.awaited || b.whole.Load() || b.ctx.Err() != nil {
		return
	}
	b.gone.Store(true)
	b.over.Store(true)
	if b.reading.TryLock() {
		b.reading.Unlock()
		return
	}
	_ = b.control.SetReadDeadline(time.Unix(1, 0))
}

// endsConnection reports whether the client's connection must end behind the answer that is about to begin, as far as is known: the body has not ended, and nobody reads it on.
func (b *clientBody) endsConnection() bool {
	return b != nil && b.open && b.http1 && !b.done() && (b.over.Load() || b.last || b.conn == nil)
}

// done reports whether the body was read to its end, and no read of it ended otherwise.
func (b *clientBody) done() bool { return b.whole.Load() && !b.gone.Load() }

// end ends the reading with the exchange. Behind it nobody reads but net/http.
func (b *clientBody) end() {
	if b == nil || !b.open {
		return
	}
	b.leave() // where something panicked
	b.over.Store(true)
	if !b.http1 || b.done() {
		return
	}
	idle := b.reading.TryLock()
	if idle || b.control.SetReadDeadline(time.Unix(1, 0)) == nil {
		if !idle {
			b.reading.Lock()
		}
		b.reading.Unlock()
	}
	if idle && b.done() {
		return
	}
	if b.conn != nil {
		b.conn.lingerOnClose()
	}
	_ = b.control.SetReadDeadline(time.Now().Add(lingerTime))
}
