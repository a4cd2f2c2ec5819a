package intercept

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
)

// handshakeError is why there is no TLS with the far side. The bare error of a connection that ends in its handshake looks like that of one that ends
// in an HTTP/2 answer.
type handshakeError struct{ err error }

// Error implements error.
func (e *handshakeError) Error() string { return e.err.Error() }

// Unwrap lets errors.Is and errors.As find what it was.
func (e *handshakeError) Unwrap() error { return e.err }

// handshake makes the handshake with the far side, within the time that it may take, and closes c where it fails.
func (d *dialer) handshake(ctx context.Context, c net.Conn, config *tls.Config) (*tls.Conn, error) {
	t := tls.Client(c, config)
	ctx, cancel := context.WithTimeout(ctx, d.config.TLSHandshakeTimeout)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, &handshakeError{err}
	}
	return t, nil
}

// makingHandshakes has t make its handshakes here, with the configuration that it would make them with itself: net/http chooses what ALPN offers, and writes it
// there (go1.26, transport.go: onceSetNextProtoDefaults). A clone of t keeps to t's configuration.
func (d *dialer) makingHandshakes(t *http.Transport) *http.Transport {
	t.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := t.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		config := t.TLSClientConfig.Clone()
		config.ServerName = hostOf(addr)
		shaken, err := d.handshake(ctx, c, config)
		if err != nil {
			return nil, err
		}
		if far, ok := c.(*notifyingConn); ok {
			far.http2 = shaken.ConnectionState().NegotiatedProtocol == "h2"
		}
		return shaken, nil
	}
	return t
}
