package intercept

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// strict watches the HTTP/1 requests of a connection on their way to net/http, and stops it at the first that another reader could take for a
// different one. net/http (go1.26, transfer.go and textproto) forgives much of it, rightly for a server that asks nobody else: a length
// beside a coding, bare line feeds, folded lines. What we forward is framed afresh and so never ambiguous; but who stands before us (a
// balancer that counts requests) may have read something else. RFC 9112 lets a server refuse all of it (sections 2.2, 3.2, 5.1, 5.2, 6.1, 6.3).
//
// What passes can be read in one way only, so this reader and net/http never disagree on where a request ends.
type strict struct {
	state strictState
	line  []byte // of a line that is not complete yet
	left  int64  // of a body or a chunk
	err   error
	ahead readAhead

	http10       bool // HTTP/1.0
	connect      bool
	asterisk     bool // the target is "*"
	upgrade      bool
	chunked      bool
	sized        bool
	length       int64
	hosts        int
	host         string
	absolute     string // the authority of an absolute-form target, or CONNECT's whole one
	tunnelTarget target // inside a tunnel: where it leads; a target that is somebody else's is answered 421, not 400
}

// strictState is what comes next.
type strictState uint8

const (
	awaitsRequest strictState = iota
	awaitsField
	awaitsBody
	awaitsChunk
	awaitsChunkData
	awaitsChunkEnd
	awaitsTrailer
	awaitsNothing // what follows is not HTTP/1
)

// maxStrictLine is longer than any header that net/http accepts, which answers 431 before.
const maxStrictLine = 2 << 20

var errAmbiguous = errors.New("the request can be read in more than one way")

// begun reports whether a request's header has begun and not ended.
func (s *strict) begun() bool {
	return s.state == awaitsField || s.state == awaitsRequest && len(s.line) > 0
}

// scan looks at bytes that were read, and returns how many of them net/http may have.
func (s *strict) scan(p []byte) int {
	for at := 0; at < len(p); {
		if s.state == awaitsNothing {
			return len(p)
		}
		if s.state == awaitsBody || s.state == awaitsChunkData {
			n := min(s.left, int64(len(p)-at))
			s.left -= n
			at += int(n)
			switch {
			case s.left > 0:
			case s.state == awaitsBody:
				s.state = awaitsRequest
			default:
				s.state = awaitsChunkEnd
			}
			continue
		}
		if s.state == awaitsRequest && len(s.line) == 0 && p[at] == recordTypeHandshake {
			s.state = awaitsNothing // TLS at the explicit door
			continue
		}
		end := bytes.IndexByte(p[at:], '\n')
		if end < 0 {
			s.line = append(s.line, p[at:]...)
			if len(s.line) > maxStrictLine {
				s.err = errAmbiguous
				return at
			}
			return len(p)
		}
		line := p[at : at+end+1]
		if len(s.line) > 0 {
			s.line = append(s.line, line...)
			line = s.line
		}
		if !s.accept(line) {
			s.err, s.line = errAmbiguous, nil
			return at
		}
		s.line = s.line[:0]
		at += end + 1
	}
	return len(p)
}

// accept judges a whole line.
func (s *strict) accept(line []byte) bool {
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, 0) >= 0 {
		return false
	}
	switch s.state {
	case awaitsRequest:
		return s.request(string(text))
	case awaitsField, awaitsTrailer:
		if len(text) == 0 {
			return s.end()
		}
		return s.field(text)
	case awaitsChunk:
		return s.chunk(string(text))
	default: // awaitsChunkEnd
		s.state = awaitsChunk
		return len(text) == 0
	}
}

// request reads a request line. An empty line before it, which some clients send behind a body, is nothing (RFC 9112, section 2.2); net/http takes it so
// after a POST.
func (s *strict) request(line string) bool {
	if line == "" {
		return true
	}
	method, rest, ok := strings.Cut(line, " ")
	target, version, ok2 := strings.Cut(rest, " ")
	if !ok || !ok2 || method == "" || target == "" || strings.ContainsAny(line, "\t\v\f") {
		return false
	}
	*s = strict{line: s.line[:0], tunnelTarget: s.tunnelTarget, ahead: s.ahead, state: awaitsField, connect: method == "CONNECT", asterisk: target == "*"}
	switch version {
	case "HTTP/1.1":
	case "HTTP/1.0":
		s.http10 = true
	default: // HTTP/2's preface too, which net/http would take for a request
		return false
	}
	if s.connect {
		s.absolute = target
	} else if _, after, ok := strings.Cut(target, "://"); ok && target[0] != '/' {
		s.absolute, _, _ = strings.Cut(after, "/")
		s.absolute, _, _ = strings.Cut(s.absolute, "?")
	}
	return true
}

// field reads a field line.
func (s *strict) field(line []byte) bool {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return false
	}
	for _, c := range line[:colon] {
		if !tokenByte(c) { // a space too: a folded line, or one before the colon
			return false
		}
	}
	if s.state == awaitsTrailer {
		return true
	}
	name, value := line[:colon], bytes.Trim(line[colon+1:], " \t")
	switch {
	case bytes.EqualFold(name, []byte("Host")):
		s.hosts++
		s.host = string(value)
		return s.hosts == 1
	case bytes.EqualFold(name, []byte("Upgrade")):
		s.upgrade = true
	case bytes.EqualFold(name, []byte("Content-Length")):
		if s.sized || len(value) == 0 || len(value) > 18 || len(bytes.Trim(value, "0123456789")) > 0 {
			return false
		}
		s.sized = true
		s.length, _ = strconv.ParseInt(string(value), 10, 64)
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		if s.chunked || s.http10 || !bytes.EqualFold(value, []byte("chunked")) {
			return false
		}
		s.chunked = true
	}
	return true
}

// end is the end of a header, or of the trailers behind a body.
func (s *strict) end() bool {
	if s.state == awaitsTrailer {
		s.state = awaitsRequest
		return true
	}
	// A tunnel's target is all in the request line, and programs (lftp 4.9, Links 2.28) say it nowhere else; net/http (go1.26, server.go) takes that, too.
	if s.sized && s.chunked || s.hosts == 0 && !s.http10 && !s.connect || !s.agrees() {
		return false
	}
	switch {
	case s.connect, s.upgrade && !s.chunked && s.length == 0 && !s.asterisk:
		// Where it is refused, the answer ends the connection: see maySwitchProtocols. "OPTIONS *" turns nothing, and net/http (go1.26, server.go: globalOptionsHandler)
		// answers it before us.
		s.state, s.line = awaitsNothing, nil
	case s.chunked:
		s.state = awaitsChunk
	case s.length > 0:
		s.state, s.left = awaitsBody, s.length
	default:
		s.state = awaitsRequest
	}
	return true
}

// agrees reports whether Host says what an absolute-form target or CONNECT's says. RFC 9112, section 3.2.2 has the former ignored, and whoever does not know
// that goes elsewhere. For CONNECT Host may leave the port out.
func (s *strict) agrees() bool {
	if s.absolute == "" || s.hosts == 0 || s.connect && s.host == "" || strings.EqualFold(s.absolute, s.host) {
		return true
	}
	port := uint16(portHTTP)
	if s.tunnelTarget.port != 0 {
		port = s.tunnelTarget.port
	}
	a, err := parseTarget(s.absolute, port)
	if err != nil || s.tunnelTarget.port != 0 && a != s.tunnelTarget {
		return true // refused with a reason, later
	}
	if s.connect {
		port = a.port
	}
	b, err := parseTarget(strings.TrimSuffix(s.host, ":"), port)
	return err == nil && a == b
}

// chunk reads the line before a chunk.
func (s *strict) chunk(line string) bool {
	size, _, _ := strings.Cut(line, ";")
	size = strings.TrimRight(size, " \t")
	n, err := strconv.ParseUint(size, 16, 62)
	if err != nil || len(size) > 16 {
		return false
	}
	s.state, s.left = awaitsChunkData, int64(n)
	if n == 0 {
		s.state = awaitsTrailer
	}
	return true
}

// tokenByte reports whether c may stand in a field's name (RFC 9110, section 5.6.2).
func tokenByte(c byte) bool { return among(c, "!#$%&'*+-.^_`|~") }

// read reads from c into b what may be read. last keeps the end of what the client says.
func (s *strict) read(p *Plugin, c net.Conn, b []byte, last *lastWord) (int, error) {
	if s.ahead.held != nil {
		return s.ahead.take(b), nil
	}
	if s.err != nil {
		return 0, s.ended(p, c, b, last)
	}
	listens := s.readsAhead(b) && last.listens()
	n, err := c.Read(b)
	switch {
	case n == 0 && listens:
		return 0, last.withheld(p, c, err)
	case n == 0:
		return 0, err
	}
	passed := s.check(p, b[:n])
	switch {
	case s.err == nil && listens && err == nil:
		return s.readAhead(p, c, b, last)
	case s.err == nil:
		return n, err
	case passed > 0:
		return passed, nil
	}
	return 0, s.ended(p, c, b, last)
}

// check looks at bytes that were read, and counts the connection where they are ambiguous.
func (s *strict) check(p *Plugin, b []byte) int {
	passed := s.scan(b)
	if s.err != nil {
		p.refused.ambiguous.Add(1)
	}
	return passed
}

// ended is how a read fails behind what was ambiguous.
func (s *strict) ended(p *Plugin, c net.Conn, b []byte, last *lastWord) error {
	if len(b) == 1 && last.listens() {
		return last.withheld(p, c, waitForEnd(c))
	}
	return s.err
}

// waitForEnd reads, and drops, until a connection ends. While a request is answered, net/http (go1.26, server.go: backgroundRead)
// reads one byte ahead, and takes an error for the client's departure; but what is wrong with the next request must not cost the one before it its answer.
// net/http ends the wait by a deadline.
func waitForEnd(c net.Conn) error {
	var rest [512]byte
	for {
		if _, err := c.Read(rest[:]); err != nil {
			return err
		}
	}
}

// maySwitchProtocols reports whether something else than HTTP may follow a request, at which nobody has looked: its refusal must end the connection.
func maySwitchProtocols(r *http.Request) bool {
	return r.ProtoMajor == 1 && (r.Method == http.MethodConnect || r.ContentLength == 0 && r.Header["Upgrade"] != nil)
}

// strictConn is an opened connection, or one at the door that speaks TLS, that speaks HTTP/1. net/http takes it for one without TLS, which nobody here asks about.
type strictConn struct {
	net.Conn
	p      *Plugin
	strict strict
	lingeringClose
	last *lastWord
}

// newStrictConn wraps conn, which is hc or the TLS inside it. At the transparent door every request may be for another host.
func newStrictConn(conn net.Conn, hc *hallConn) *strictConn {
	w := &strictConn{Conn: conn, p: hc.front.p, last: lastWordOf(hc.Conn)}
	if !hc.byHost {
		w.strict.tunnelTarget = hc.target
	}
	return w
}

// Read implements net.Conn.
func (w *strictConn) Read(b []byte) (int, error) {
	if w.lingeringClose.due() {
		return 0, io.EOF
	}
	return w.strict.read(w.p, w.Conn, b, w.last)
}

// SetReadDeadline implements net.Conn.
func (w *strictConn) SetReadDeadline(t time.Time) error {
	w.last.noteDeadline(t)
	return w.Conn.SetReadDeadline(t)
}

// Close implements net.Conn.
func (w *strictConn) Close() error {
	w.last.end()
	w.linger(w.p.graceOver, w.Conn)
	return w.Conn.Close()
}

// CloseWrite lets net/http have its last words read (server.go: closeWriteAndWait).
func (w *strictConn) CloseWrite() error { return closeWrite(w.Conn) }
