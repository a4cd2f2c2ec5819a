package intercept

import (
	"crypto/tls"
	"net"
	"net/http"
)

// abortHTTP10 ends the connection of a client that speaks HTTP/1.0 so that it must take the answer for a broken one. Such a client knows no chunks: where
// nobody knew the length, the end of the connection is the end of the answer, and net/http closes in good form (go1.26, server.go: close), with a FIN and
// inside TLS with a close_notify before it. Half an answer would look whole.
func (rw *responseWriter) abortHTTP10() {
	if !rw.x.http10 {
		return
	}
	if c, _, err := http.NewResponseController(rw.inner).Hijack(); err == nil { // else it is taken over, and closed, already
		reset(c)
	}
}

// reset ends a connection with an RST, or where it is a stream of an HTTP/2 connection with what corresponds (RFC 9113, section 8.5). The innermost
// goes first: TLS above it can say no good-bye then.
func reset(whole net.Conn) {
	for c := whole; c != nil; {
		if stream, ok := c.(*streamConn); ok {
			stream.broken.Store(true)
		}
		next := beneath(c)
		if next == nil {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			_ = c.Close()
		}
		c = next
	}
	_ = whole.Close() // for the slots that it holds
}

// beneath is the connection that c is made of; nil where that is none of ours.
func beneath(c net.Conn) net.Conn {
	switch at := c.(type) {
	case *strictConn:
		return at.Conn
	case *hallConn:
		return at.Conn
	case *tls.Conn:
		return at.NetConn()
	case overTLS:
		return at.NetConn()
	case *awaitedConn:
		return at.TCPConn
	case *clientTCP:
		return at.TCPConn
	case *trackedTCP:
		return at.TCPConn
	case *trackedTLS:
		return at.Conn
	case *tracked:
		return at.Conn
	case *farTCP:
		return at.TCPConn
	case *farTLS:
		return at.Conn
	case *byAddress:
		return at.Conn
	case *streamConn:
		return at.Conn
	}
	return nil
}
