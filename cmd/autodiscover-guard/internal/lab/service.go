package lab

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxBody is how much of a request's body is kept.
const maxBody = 1 << 20

// Service is a server on a free port of 127.0.0.1 that keeps what it is asked. It is safe for concurrent use; Close must be called.
type Service struct {
	server  *http.Server
	address string
	rootPEM []byte
	roots   *x509.CertPool

	running sync.WaitGroup // the accept loop, connections and handlers
	mu      sync.Mutex
	seen    []Seen
	closed  bool
}

// Start serves h by HTTPS, HTTP/1.1 and HTTP/2, with a certificate for hosts (DNS names, wildcards, IP addresses) from an authority of its
// own. The handler finds the request as it arrived, its body rewound; it must end when the request's context does.
func Start(hosts []string, h http.Handler) (*Service, error) {
	c, err := newChain(hosts)
	if err != nil {
		return nil, fmt.Errorf("minting a certificate for %q: %w", hosts, err)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening on loopback: %w", err)
	}
	s := &Service{address: listener.Addr().String(), rootPEM: c.rootPEM, roots: x509.NewCertPool()}
	s.roots.AppendCertsFromPEM(c.rootPEM)
	s.server = &http.Server{
		Handler:           s.record(h),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{c.leaf}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		ConnState:         s.count,
		ErrorLog:          log.New(io.Discard, "", 0), // a refused handshake is a result here, not an event
	}
	s.running.Go(func() {
		s.server.ServeTLS(listener, "", "") //nolint:errcheck // it ends with an error whatever happens, and the only one to expect is that of Close
	})
	return s, nil
}

// Addr is where the service listens, as 127.0.0.1:port.
func (s *Service) Addr() string { return s.address }

// RootPEM is the certificate of the service's authority, for a client's list of roots.
func (s *Service) RootPEM() []byte { return bytes.Clone(s.rootPEM) }

// Pool holds the service's authority and nothing else.
func (s *Service) Pool() *x509.CertPool { return s.roots.Clone() }

// Transport makes a client's transport that finds this service behind every host name and speaks HTTP/2 where it can. Whoever uses it
// closes its idle connections.
func (s *Service) Transport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.address)
		},
		TLSClientConfig:   &tls.Config{RootCAs: s.Pool(), MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
}

// Seen lists the requests that arrived, in the order in which they were complete. The list is the caller's.
func (s *Service) Seen() []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Forget empties the list that Seen gives.
func (s *Service) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
}

// Close ends the service: it closes every connection and returns when nothing of it runs any more. More calls do nothing.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	err := s.server.Close()
	s.running.Wait()
	return err
}

// count keeps account of connections, as http.Server's Close does not wait for what it closes.
func (s *Service) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.running.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.running.Done()
	case http.StateActive, http.StateIdle:
	}
}

// record keeps each request before the handler sees it, so that no handler can hide one.
func (s *Service) record(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			return
		}
		defer s.running.Done()
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		seen := Seen{
			Method: r.Method, Proto: r.Proto, Host: r.Host, ServerName: r.TLS.ServerName, Path: r.URL.Path, Target: r.RequestURI, Query: r.URL.RawQuery,
			Header: r.Header.Clone(), Trailer: r.Trailer.Clone(),
			Body: body[:min(len(body), maxBody)], Cut: err != nil || len(body) > maxBody,
		}
		s.mu.Lock()
		s.seen = append(s.seen, seen)
		s.mu.Unlock()
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
		h.ServeHTTP(w, r)
	})
}

// enter counts a handler in, unless Close may already be waiting: HTTP/2 runs handlers beside their connection, not inside it.
func (s *Service) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}
