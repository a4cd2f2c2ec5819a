package intercept

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"time"
)

const (
	// silence is how long a client at the transparent door may say nothing before its server is thought to speak first, as that of SSH does,
	// which many run on port 443.
	silence = 3 * time.Second
	// recordTypeHandshake is the first byte of every TLS connection (RFC 8446, section 5.1).
	recordTypeHandshake = 22
)

var (
	errHelloRead = errors.New("the name is known")
	errSlow      = errors.New("the client was silent for too long in the middle of its handshake")
)

// peekHello reads a ClientHello and returns the name in it, empty where there is none or where it is no TLS, and every byte that was read.
// crypto/tls reads it, whatever its fragments; nothing is written. An error means that the client is gone, or hopeless.
func (p *Plugin) peekHello(c net.Conn) (name string, heard []byte, err error) {
	e := &peeker{Conn: c, graceOver: p.graceOver, first: silence, rest: p.limits.Handshake}
	defer context.AfterFunc(p.graceOver, e.interrupt)()
	name, err = serverName(e)
	return name, e.heard, e.end(p.graceOver, err)
}

// serverName is the name in the ClientHello that e reads. The error is errHelloRead where crypto/tls has read it to its end.
func serverName(e *peeker) (name string, err error) {
	err = tls.Server(e, &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			name = hello.ServerName
			return nil, errHelloRead
		},
	}).Handshake() //nolint:noctx // deadlines end it; a context would close the connection
	if !errors.Is(err, errHelloRead) {
		name = helloName(e.heard)
	}
	return meantBy(name), err
}

// peekFirst returns what a client says first; nothing, where it waits for its server.
func (p *Plugin) peekFirst(c net.Conn) ([]byte, error) {
	e := &peeker{Conn: c, graceOver: p.graceOver, first: silence, rest: p.limits.Header}
	defer context.AfterFunc(p.graceOver, e.interrupt)()
	var first [512]byte
	for {
		_, err := e.Read(first[:])
		// A method's name may come in pieces.
		if err != nil || len(e.heard) > longestMethod || !methodLike(e.heard) {
			return e.heard, e.end(p.graceOver, err)
		}
		if slices.Contains(e.heard, ' ') {
			return e.heard, e.end(p.graceOver, nil)
		}
	}
}

// peeker remembers what is read from a connection, and writes nothing to it.
type peeker struct {
	net.Conn
	graceOver   context.Context // nil where only the connection's end ends it
	heard       []byte
	first, rest time.Duration
}

// Read implements net.Conn.
func (e *peeker) Read(b []byte) (int, error) {
	if len(e.heard) == 0 {
		e.wait(e.first)
	}
	n, err := e.Conn.Read(b)
	if len(e.heard) == 0 && n > 0 {
		e.wait(e.rest)
	}
	e.heard = append(e.heard, b[:n]...)
	return n, err
}

// wait gives the client so long for what comes next. The end of the grace period may have interrupted just before, which the new deadline would undo.
func (e *peeker) wait(long time.Duration) {
	_ = e.Conn.SetReadDeadline(time.Now().Add(long))
	if e.graceOver != nil && e.graceOver.Err() != nil {
		e.interrupt()
	}
}

// Write implements net.Conn: crypto/tls would send an alert.
func (e *peeker) Write(p []byte) (int, error) { return len(p), nil }

// Close implements net.Conn.
func (e *peeker) Close() error { return nil }

func (e *peeker) interrupt() { _ = e.Conn.SetReadDeadline(time.Unix(1, 0)) }

// end says whether anything can be done for the client, given how the listening ended.
func (e *peeker) end(graceOver context.Context, err error) error {
	_ = e.Conn.SetReadDeadline(time.Time{})
	switch {
	case graceOver.Err() != nil:
		return graceOver.Err()
	case len(e.heard) == 0 && !errors.Is(err, os.ErrDeadlineExceeded):
		return err // gone without a word
	case len(e.heard) > 0 && e.heard[0] == recordTypeHandshake && errors.Is(err, os.ErrDeadlineExceeded):
		return errSlow
	}
	return nil // whatever it speaks, its server may understand it
}

// longestMethod is that of the methods in IANA's registry (UPDATEREDIRECTREF); the rest of it is for space.
const longestMethod = 18

// methodLike reports whether bytes begin like a method, as far as they go.
func methodLike(b []byte) bool {
	for _, c := range b {
		if c == ' ' {
			return true
		}
		if (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return true
}

// likeHTTP reports whether bytes begin like an HTTP/1 request. The preface of HTTP/2 ("PRI * HTTP/2.0") does not: nobody upgrades to it in the
// clear without asking, and who begins with it can be tunnelled.
func likeHTTP(b []byte) bool {
	space := bytes.IndexByte(b, ' ')
	return space > 0 && space <= longestMethod && methodLike(b) && !bytes.HasPrefix(b, []byte("PRI "))
}

// replay is a connection of which some bytes were read already.
type replay struct {
	net.Conn
	early []byte
}

// Read implements net.Conn.
func (r *replay) Read(p []byte) (int, error) {
	if len(r.early) > 0 {
		n := copy(p, r.early)
		r.early = r.early[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}

var _ io.Reader = (*replay)(nil)
