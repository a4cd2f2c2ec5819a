package intercept

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"

	"golang.org/x/net/http2"
)

// uploadAhead is how much of an upload, or of what goes into a tunnel, a client that speaks HTTP/2 may send before the far side takes it: a quarter of what a connection may. With as much as
// that, which is net/http's default, one far side that takes nothing would keep all else that goes by the connection from being said, a browser's other tunnels for instance.
const uploadAhead = 256 << 10

// ConfigureHTTP2 prepares the http.Server of an explicit door over TLS (call it before [Plugin.SecureListener], with its TLSConfig), so that browsers that speak HTTP/2 to their proxy
// can ask for plain HTTP, too. Without it only CONNECT is served over HTTP/2: net/http (go1.26, server.go: initALPNRequest) takes every request
// that comes over TLS for one for https, which must not travel on in the clear. x/net/http2, which it is made from, does tell them apart.
func (p *Plugin) ConfigureHTTP2(server *http.Server) error {
	//nolint:staticcheck // what it is deprecated for (http.Server.Protocols) does not tell the scheme
	if err := http2.ConfigureServer(server, &http2.Server{
		MaxConcurrentStreams:     250,
		MaxUploadBufferPerStream: uploadAhead,
		IdleTimeout:              p.limits.Idle,
		ReadIdleTimeout:          pingAfter, // as in the hall
		PingTimeout:              p.limits.Stall,
		WriteByteTimeout:         twice(p.limits.Stall),
	}); err != nil {
		return fmt.Errorf("preparing HTTP/2: %w", err)
	}
	serve := server.TLSNextProto[http2.NextProtoTLS]
	if serve == nil {
		return fmt.Errorf("preparing HTTP/2: this release of x/net does not serve %q", http2.NextProtoTLS)
	}
	server.TLSNextProto[http2.NextProtoTLS] = func(s *http.Server, c *tls.Conn, h http.Handler) { serve(s, c, schemes{h}) }
	return nil
}

// schemes tells requests for http from those for https before net/http makes them look alike.
type schemes struct{ http.Handler }

// BaseContext is what x/net/http2 (server.go: ConfigureServer) asks a handler of net/http for: the context that ConnContext has made.
func (s schemes) BaseContext() context.Context {
	if h, ok := s.Handler.(interface{ BaseContext() context.Context }); ok {
		return h.BaseContext()
	}
	return context.Background()
}

// ServeHTTP implements http.Handler.
func (s schemes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.TLS == nil {
		r = r.WithContext(context.WithValue(r.Context(), clearKey{}, true))
	}
	s.Handler.ServeHTTP(w, r)
}

type clearKey struct{}

// inTheClear reports whether a request of an HTTP/2 connection is for http.
func inTheClear(r *http.Request) bool {
	clear, _ := r.Context().Value(clearKey{}).(bool)
	return clear
}
