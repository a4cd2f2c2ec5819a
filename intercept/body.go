package intercept

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// maxTrusted is how much is set aside for a body because of a length that only its header claims.
const maxTrusted = 64 << 10

const (
	// longBody is from where on an exchange needs a slot to read a body on. Hardly a question is that long, and few answers are; but without slots a client could have
	// Limits.BodyBytes held in memory for each of its requests, by leaving out the last byte.
	longBody = 64 << 10
	// longBodies and longBodiesOfOne are how many such slots there are, and how many of them for one client.
	longBodies      = 256
	longBodiesOfOne = 64
)

// readBounded reads a body up to Limits.BodyBytes, where there is a slot for it; length is what its header claims, negative where it says nothing. over reports that there is more:
// then head and what is left of the body belong together.
func (x *exchange) readBounded(body io.Reader, length int64) (head []byte, over bool, err error) {
	if body == nil || body == http.NoBody {
		return nil, false, nil
	}
	var b bytes.Buffer
	if length > 0 && length <= maxTrusted {
		b.Grow(int(length) + bytes.MinRead) // with the room that ReadFrom wants to find the end
	}
	limit := min(x.p.limits.BodyBytes, longBody)
	_, err = b.ReadFrom(io.LimitReader(body, limit+1))
	if err == nil && int64(b.Len()) > limit && limit < x.p.limits.BodyBytes && x.acquireLongBody() {
		_, err = b.ReadFrom(io.LimitReader(body, x.p.limits.BodyBytes-limit))
		limit = x.p.limits.BodyBytes
	}
	return b.Bytes(), int64(b.Len()) > limit, err
}

// acquireLongBody takes the exchange's slot for long bodies, its question's and its answer's, and reports whether there is one. An exchange that is not the front's has no end that
// we are sure to hear of, and needs none.
func (x *exchange) acquireLongBody() bool {
	if x.control == nil {
		return true
	}
	if !x.hasLongBody {
		x.hasLongBody = x.p.limiter.acquire(slotLongBody, clientKey(x.from.Client), longBodies, longBodiesOfOne) == denialNone
		if x.tooMany = !x.hasLongBody; x.tooMany {
			x.p.refused.bodies.add(x.p, x.from.Client, reasonTooMany)
		}
	}
	return x.hasLongBody
}

// tooLong is why an answer was not read to its end.
func (x *exchange) tooLong() string {
	if x.tooMany {
		return reasonTooMany
	}
	return reasonLong
}

// releaseLongBody gives the slot back.
func (x *exchange) releaseLongBody() {
	if x.hasLongBody {
		x.p.limiter.release(slotLongBody, clientKey(x.from.Client))
	}
}

// rejoined is a body of which the head was read already.
type rejoined struct {
	io.Reader
	io.Closer
}

func rejoin(head []byte, rest io.ReadCloser) io.ReadCloser {
	return rejoined{io.MultiReader(bytes.NewReader(head), rest), rest}
}

// failingBody is the rest of a body whose reading ended in err.
type failingBody struct{ err error }

// Read implements io.Reader.
func (b failingBody) Read([]byte) (int, error) { return 0, b.err }

// Close implements io.Closer.
func (failingBody) Close() error { return nil }

// memoryBody makes a body of bytes in memory. By its very type net/http (go1.26, transfer.go: isKnownInMemoryReader) knows that it need not
// send a request's header ahead of it, in a packet and a TLS record of its own.
func memoryBody(b []byte) io.ReadCloser {
	if len(b) == 0 {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(b))
}

// relayed is an upstream's body on its way to the client. It remembers how it ended: goproxy v1.9.4, http.go only logs a read error and
// then ends the client's answer as if it were whole. The front looks here afterwards and breaks the connection. Panicking in
// Read would do the same, but Read may be called in a goroutine of somebody else's plugin, where nobody recovers.
type relayed struct {
	body  io.ReadCloser
	cut   *atomic.Bool
	bytes atomic.Int64
	end   func()
}

// Read implements io.Reader.
func (b *relayed) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.bytes.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		b.cut.Store(true)
	}
	return n, err
}

// Close implements io.Closer.
func (b *relayed) Close() error {
	err := b.body.Close()
	if b.end != nil {
		b.end()
	}
	return err
}
