package main

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// protocolMux tells one listener's connections apart by how their clients begin: with a TLS handshake, or with plain HTTP. Both come to one port, so that
// certificates can name a place for revocation lists that needs no TLS, beside a console that does.
type protocolMux struct {
	net.Listener
	secure, plain *branch
}

const (
	// firstByteTimeout is for how long a client may be silent at first.
	firstByteTimeout = 5 * time.Second
	// startsTLS is the content type of a handshake record (RFC 8446, section 5.1). No method of HTTP begins with it.
	startsTLS = 22
)

// newProtocolMux begins to take connections of l, until it is closed. TLS is spoken as config says.
func newProtocolMux(l net.Listener, config *tls.Config) *protocolMux {
	ended := make(chan struct{})
	m := &protocolMux{Listener: l, secure: newBranch(l, ended), plain: newBranch(l, ended)}
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil: // out of descriptors, or the client is gone already
				time.Sleep(10 * time.Millisecond)
			default:
				go m.route(c, config)
			}
		}
	}()
	return m
}

// route gives a connection to the listener for what its first byte begins.
func (m *protocolMux) route(c net.Conn, config *tls.Config) {
	b := make([]byte, 1)
	_ = c.SetReadDeadline(time.Now().Add(firstByteTimeout))
	if _, err := c.Read(b); err != nil {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	heard := &heardConn{Conn: c, first: b}
	if b[0] == startsTLS {
		m.secure.give(tls.Server(heard, config))
		return
	}
	m.plain.give(heard)
}

// heardConn is a connection of which the first byte was read.
type heardConn struct {
	net.Conn
	first []byte
}

// Read implements net.Conn.
func (c *heardConn) Read(p []byte) (int, error) {
	if len(c.first) > 0 && len(p) > 0 {
		n := copy(p, c.first)
		c.first = nil
		return n, nil
	}
	return c.Conn.Read(p)
}

// branch is the listener for one kind.
type branch struct {
	net.Listener // that of both
	conns        chan net.Conn
	ended        chan struct{}
}

func newBranch(l net.Listener, ended chan struct{}) *branch {
	return &branch{l, make(chan net.Conn), ended}
}

func (b *branch) give(c net.Conn) {
	select {
	case b.conns <- c:
	case <-b.ended:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (b *branch) Accept() (net.Conn, error) {
	select {
	case c := <-b.conns:
		return c, nil
	case <-b.ended:
		return nil, net.ErrClosed
	}
}
