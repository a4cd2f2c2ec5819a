package intercept

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/rules/reserved"
)

// byAddress is the far end of a tunnel that was asked for by an address, as redsocks asks, and whatever else looks names up by itself; and of one at the
// transparent door whose client was silent at first. Which host is meant is said inside: in the handshake, or in the first request's Host field. Where that
// is a host to open, the connection to the address is given up and the tunnel ends in the hall, as if it had been asked for by the name. Any other is what it
// would be without: the address is dialled before the client hears that the tunnel stands, since there are clients that try another one where it does not; a
// host that speaks first is heard at once; and nobody has to begin in time, but who has begun a handshake or a request's header has to come to its end.
type byAddress struct {
	net.Conn // to the address
	front    *front
	far      *farSide
	asked    *http.Request // the CONNECT request
	to       target        // the address
	door     door
	early    []byte // what came with the request

	mu     sync.Mutex
	hall   *pipeEnd // the tunnel's end of a pipe into the hall
	stream *streamConn
	over   bool // nothing can be sent back any more
}

// namesNoHost reports whether a tunnel's target does not say which host is meant. The C library's resolver, which Go asks on some systems, takes 0xc0000221 for an address, too.
func (t target) namesNoHost() bool {
	_, address := reserved.ParseAddr(t.host)
	return (address || endsInNumber(t.host)) && t.web()
}

// Write implements io.Writer. Of goproxy (v1.9.4, https.go: bufferedClientReader) nothing comes this way but what the client sent together with its request; the rest is
// ReadFrom's.
func (b *byAddress) Write(p []byte) (int, error) {
	b.early = append(b.early, p...)
	return len(p), nil
}

// ReadFrom implements io.ReaderFrom: it carries what the client says to where that belongs. It is called in a goroutine of goproxy's, where nobody recovers.
func (b *byAddress) ReadFrom(client io.Reader) (n int64, err error) {
	defer func() {
		if v := recover(); v != nil {
			b.front.p.recovered(v, zap.String(keyHost, b.to.String()))
			_, err = b.Close(), net.ErrClosed
		}
	}()
	var first [1]byte
	if len(b.early) == 0 { // nothing is kept ready for whoever has nothing to say
		n, _ := client.Read(first[:])
		b.early = first[:n]
	}
	limit := b.front.p.limits.Header
	if b.to.port == portHTTPS {
		limit = b.front.p.limits.Handshake
	}
	slow := time.AfterFunc(limit, func() { _ = b.Close() })
	heard, hc := b.readHost(io.MultiReader(bytes.NewReader(b.early), client))
	slow.Stop()
	to := b.Conn
	if hc == nil {
		if n, err := to.Write(heard); err != nil {
			return int64(n), err
		}
	} else if hc.early = heard; !b.open(hc) {
		return 0, net.ErrClosed
	} else {
		to = b.hall
	}
	n, err = io.Copy(to, client)
	return int64(len(heard)) + n, err
}

// readHost reads until the client has named the host that it means. It returns what was read, and the connection for the hall where that host is opened; nil where that
// is no host to open, where it speaks of none, or in another way.
func (b *byAddress) readHost(client io.Reader) (heard []byte, hc *hallConn) {
	if b.to.port == portHTTPS {
		e := &peeker{Conn: &clientReader{Reader: client, first: recordTypeHandshake}}
		name, _ := serverName(e)
		return e.heard, b.hallConnFor(name)
	}
	p := b.front.p
	heard, _ = p.peekFirst(&clientReader{Reader: client})
	switch {
	case !likeHTTP(heard):
		return heard, nil
	case b.door == doorTransparentPlain && b.front.asksAnotherProxy(heard, b.asked):
		return heard, nil
	case b.door == doorTransparentPlain:
		return heard, &hallConn{target: b.to, door: b.door, byHost: true}
	}
	e := &peeker{Conn: &clientReader{Reader: io.LimitReader(client, int64(p.limits.HeaderBytes))}}
	r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(bytes.NewReader(heard), e)))
	heard = append(heard, e.heard...)
	if err != nil {
		return heard, b.hallConnFor(hostField(heard))
	}
	return heard, b.hallConnFor(hostOf(r.Host))
}

// hostField is the host that a request means which net/http has turned down, as helloName is for handshakes, as far as it was heard.
func hostField(header []byte) string {
	for line := range bytes.Lines(header) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if ok && bytes.EqualFold(bytes.TrimRight(name, " \t"), []byte("Host")) && bytes.HasSuffix(value, []byte("\n")) {
			return meantBy(string(bytes.TrimSpace(value)))
		}
	}
	return ""
}

// hallConnFor is the connection for the hall of a client that has named this host; nil where the host is not opened.
func (b *byAddress) hallConnFor(name string) *hallConn {
	host, err := canonicalHost(name)
	if name == "" || err != nil {
		return nil
	}
	t := target{host: host, port: b.to.port}
	policy := b.front.p.policy.Load()
	decision, shunned := policy.Shun(host)
	switch {
	case shunned:
		b.front.shun(b.asked, t, b.door, decision) // which is true of the ports of the web
	case !policy.Opens(host):
		b.front.p.noteTunnel(b.asked, t, b.door)
		return nil
	}
	return &hallConn{target: t, door: b.door, shunned: shunned && t.port == portHTTPS}
}

// open shows the client into the hall. It reports false where the way back has ended.
func (b *byAddress) open(hc *hallConn) bool {
	inner, outer := newPipe()
	stream := &streamConn{Conn: inner, local: localAddress(b.asked), remote: net.TCPAddrFromAddrPort(remoteAddrPort(b.asked))}
	b.mu.Lock()
	if b.over {
		b.mu.Unlock()
		return false
	}
	b.hall, b.stream = outer, stream
	b.mu.Unlock()
	_ = b.Conn.Close() // WriteTo waits for it
	hc.Conn, hc.front, hc.binding = stream, b.front, newBinding()
	hc.release = func() {} // the tunnel keeps its slot
	hc.expectRequest()
	b.far.untrack() // to stop it, and to end it one day, is the hall's business now
	go b.front.p.hall.serve(hc)
	return true
}

// WriteTo implements io.WriterTo: it carries to the client what the host says, or the hall in its place.
func (b *byAddress) WriteTo(client io.Writer) (int64, error) {
	n, err := io.Copy(client, b.Conn)
	b.mu.Lock()
	hall := b.hall
	b.over = true
	b.mu.Unlock()
	if hall == nil {
		return n, err
	}
	if n > 0 { // the host spoke before its client did; nobody could make sense of both
		_ = b.Close()
		return n, net.ErrClosed
	}
	if n, err = io.Copy(client, hall); err != nil {
		return n, err
	}
	if c, ok := client.(net.Conn); ok && b.broken() {
		reset(c)
	}
	return n, net.ErrClosed // so that both ends are closed, as the hall has done
}

// CloseWrite is called when the client has said its last word.
func (b *byAddress) CloseWrite() error {
	if hall := b.inHall(); hall != nil {
		return hall.CloseWrite()
	}
	return closeWrite(b.Conn)
}

// CloseRead is called when the client is to hear nothing more.
func (b *byAddress) CloseRead() error {
	if half, ok := b.Conn.(interface{ CloseRead() error }); ok && b.inHall() == nil {
		return half.CloseRead()
	}
	return nil
}

// broken reports whether the hall has reset the connection: see reset.
func (b *byAddress) broken() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stream != nil && b.stream.broken.Load()
}

func (b *byAddress) inHall() *pipeEnd {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hall
}

// Close implements net.Conn.
func (b *byAddress) Close() error {
	b.mu.Lock()
	b.over = true
	hall := b.hall
	b.mu.Unlock()
	if hall != nil {
		_ = hall.breakOff()
	}
	return b.Conn.Close()
}

// clientReader makes a net.Conn of what a client sends, for a peeker. Nothing is written to it, and it has no deadlines.
type clientReader struct {
	net.Conn
	io.Reader
	first byte // how it has to begin, if that matters
}

var errOtherwise = errors.New("the client speaks another protocol")

// Read implements net.Conn.
func (s *clientReader) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if n > 0 && s.first != 0 {
		if p[0] != s.first {
			return n, errOtherwise
		}
		s.first = 0
	}
	return n, err
}

// SetReadDeadline implements net.Conn.
func (s *clientReader) SetReadDeadline(time.Time) error { return nil }
