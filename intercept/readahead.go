package intercept

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
)

// readAhead is what was read behind a request that is being answered. net/http (go1.26, server.go: backgroundRead) listens meanwhile for the client's departure, which
// ends what was asked upstream, but with a single byte: whoever sends one and leaves would keep a long poll until it ends by itself. So the byte is held back, and reading goes on
// until net/http wants no more (by a deadline), as far as there is room.
type readAhead struct {
	held     *[readAheadRoom]byte
	from, to int
}

const readAheadRoom = 4 << 10

var readAheadRooms = sync.Pool{New: func() any { return new([readAheadRoom]byte) }}

// take reads what is held.
func (r *readAhead) take(b []byte) int {
	n := copy(b, r.held[r.from:r.to])
	if r.from += n; r.from == r.to {
		r.drop()
	}
	return n
}

func (r *readAhead) drop() {
	readAheadRooms.Put(r.held)
	*r = readAhead{}
}

// readsAhead reports whether b may be what net/http listens with while it answers: behind a whole request, and within the next one's line at most, so that its header ends behind b.
// Bytes that nobody looks at are for whatever the connection becomes, and not held.
func (s *strict) readsAhead(b []byte) bool {
	return len(b) == 1 && s.state == awaitsRequest
}

// readAhead reads on behind the byte b. It returns that byte when net/http wants no more, there is no more room, or the client has said a whole request before it closed
// its side: then it waits for the answers. Otherwise the client has left.
func (s *strict) readAhead(p *Plugin, c net.Conn, b []byte, last *lastWord) (int, error) {
	r := &s.ahead
	r.held = readAheadRooms.Get().(*[readAheadRoom]byte)
	r.held[0], r.to = b[0], 1
	for r.to < len(r.held) {
		n, err := c.Read(r.held[r.to:])
		passed := s.check(p, r.held[r.to:r.to+n])
		r.to += passed
		if err == nil && s.err != nil {
			err = waitForEnd(c)
		}
		if err == nil {
			continue
		}
		asked := bytes.Contains(bytes.TrimLeft(r.held[:r.to], "\r\n"), []byte("\r\n\r\n"))
		if errors.Is(err, io.EOF) && asked {
			break
		}
		if err = last.withheld(p, c, err); errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		r.drop()
		return 0, err
	}
	return r.take(b), nil
}
