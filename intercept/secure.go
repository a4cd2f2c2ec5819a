package intercept

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

// SecureListener is [Plugin.Listener] for an explicit door that speaks TLS:
//
//	server.Serve(plugin.SecureListener(l, server.TLSConfig))
//
// It makes the handshakes itself, within Limits.Handshake. With server.ServeTLS net/http would make them, but then nothing could look at the HTTP/1
// requests inside before net/http has forgiven in them what two readers take for different things: they would not be refused as they are at the other
// doors. To such requests net/http says that they came without TLS ([http.Request].TLS is nil). config is copied.
func (p *Plugin) SecureListener(l net.Listener, config *tls.Config) net.Listener {
	config = config.Clone()
	if len(config.NextProtos) > 0 && !slices.Contains(config.NextProtos, "http/1.1") {
		config.NextProtos = append(slices.Clone(config.NextProtos), "http/1.1") // as ServeTLS does
	}
	p.Listening(l.Addr())
	door := p.gatekeeper(l)
	door.encrypted = true
	s := &secureListener{Listener: door, p: p, config: config, accepted: make(chan accepted)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// secureListener is the listener that SecureListener returns.
type secureListener struct {
	net.Listener
	p          *Plugin
	config     *tls.Config
	accepted   chan accepted
	once       sync.Once
	handshakes sync.WaitGroup
	// ctx ends with Close, and not when the plugin stops: net/http takes the end of a listener for a failure, unless the server was stopped before.
	ctx    context.Context //nolint:containedctx // the listener's own life
	cancel context.CancelFunc
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

// Accept implements net.Listener. What it returns has its handshake behind it.
func (s *secureListener) Accept() (net.Conn, error) {
	s.once.Do(func() { go s.receive() })
	select {
	case a := <-s.accepted:
		return a.conn, a.err
	case <-s.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (s *secureListener) Close() error {
	s.cancel()
	return s.Listener.Close()
}

// receive takes connections in. net/http waits before it asks again after an error, and so does this. Where somebody has closed the listener below, who was
// accepted before is still given on.
func (s *secureListener) receive() {
	for {
		c, err := s.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			s.handshakes.Wait()
		}
		switch {
		case err == nil:
			s.handshakes.Go(func() { s.handshake(c) })
		case !s.deliver(accepted{err: err}), errors.Is(err, net.ErrClosed):
			return
		}
	}
}

func (s *secureListener) deliver(a accepted) bool {
	select {
	case s.accepted <- a:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// handshake makes the handshake.
func (s *secureListener) handshake(c net.Conn) {
	given := false
	defer func() {
		if v := recover(); v != nil {
			s.p.recovered(v, clientField(c))
		}
		if !given {
			_ = c.Close()
		}
	}()
	t := tls.Server(c, s.config)
	ctx, cancel := context.WithTimeout(s.p.graceOver, s.p.limits.Handshake)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	if err := t.HandshakeContext(ctx); err != nil {
		s.p.logger.Debug("handshake with the proxy failed", clientField(c), zap.Error(err))
		s.explain(err)
		return
	}
	ready := net.Conn(t)
	if t.ConnectionState().NegotiatedProtocol != "h2" {
		ready = &strictConn{Conn: t, p: s.p, last: lastWordOf(c)}
	}
	given = s.deliver(accepted{conn: ready})
}

// explain answers a client that speaks HTTP without TLS, as net/http does.
func (s *secureListener) explain(err error) {
	var record tls.RecordHeaderError
	if !errors.As(err, &record) || record.Conn == nil || record.RecordHeader[0] < 'A' || record.RecordHeader[0] > 'Z' {
		return
	}
	_ = record.Conn.SetDeadline(time.Now().Add(lingerTime))
	writeLast(record.Conn, "HTTP/1.0 "+statusLine(http.StatusBadRequest)+
		"\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nautodiscover-guard: this door speaks TLS; say https:// where the proxy is set.\n")
}
