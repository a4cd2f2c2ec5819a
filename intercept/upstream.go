package intercept

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// UpstreamConfig says how upstreams are reached. The zero value dials them directly and verifies them against the system's roots. The
// environment's proxy settings are never followed: they may point at ourselves, and goproxy v1.9.3 then dials itself until no descriptor is left.
type UpstreamConfig struct {
	// Roots verify upstream certificates; nil means the system's. They stand alone: to add to the system's, start from x509.SystemCertPool.
	Roots *x509.CertPool
	// Resolve maps host or host:port to an address or address:port to dial in its place, like curl --connect-to; the name that is
	// verified stays. Nil maps nothing.
	Resolve map[string]string
	// DialTimeout is how long a connection may take to be made, tunnels included: 10 s where zero.
	DialTimeout time.Duration
	// TLSHandshakeTimeout is how long the upstream's TLS handshake may take: 10 s where zero.
	TLSHandshakeTimeout time.Duration
	// AnswerTimeout is how long the whole answer to a discovery request may take: 30 s where zero. Nothing else has such a limit: ActiveSync
	// and Exchange streams rightly keep a request open for an hour.
	AnswerTimeout time.Duration
}

// fill puts the defaults in the place of zero values and Resolve into the form that dial looks up.
func (u *UpstreamConfig) fill() error {
	for _, d := range []struct {
		name  string
		value *time.Duration
		zero  time.Duration
	}{
		{"DialTimeout", &u.DialTimeout, 10 * time.Second},
		{"TLSHandshakeTimeout", &u.TLSHandshakeTimeout, 10 * time.Second},
		{"AnswerTimeout", &u.AnswerTimeout, 30 * time.Second},
	} {
		if err := fillDuration("Upstream."+d.name, d.value, d.zero); err != nil {
			return err
		}
	}
	resolve := make(map[string]string, len(u.Resolve))
	for from, to := range u.Resolve {
		key, err := resolveKey(from)
		if err != nil {
			return fmt.Errorf("reading Upstream.Resolve key %q: want host or host:port: %w", from, err)
		}
		if _, err := parseTarget(bracketed(to), portHTTPS); err != nil {
			return fmt.Errorf("reading Upstream.Resolve value %q of %q: want address or address:port: %w", to, from, err)
		}
		resolve[key] = bracketed(to)
	}
	u.Resolve = resolve
	return nil
}

// resolveKey is the canonical host, with the port only where one was given.
func resolveKey(from string) (string, error) {
	_, port, err := splitAuthority(bracketed(from))
	if err != nil {
		return "", err
	}
	t, err := parseTarget(bracketed(from), portHTTPS)
	if err != nil || port != "" {
		return t.String(), err
	}
	return t.host, nil
}

// bracketed puts brackets around a bare IPv6 address, which is what people write where no port follows.
func bracketed(s string) string {
	if ip := net.ParseIP(s); ip != nil && strings.Contains(s, ":") {
		return "[" + s + "]"
	}
	return s
}

// address is what is dialled for addr, a host:port.
func (u *UpstreamConfig) address(addr string) string {
	t, err := parseTarget(addr, 0)
	if err != nil || len(u.Resolve) == 0 {
		return addr
	}
	to, ok := u.Resolve[t.String()]
	if !ok {
		to, ok = u.Resolve[t.host]
	}
	if !ok {
		return addr
	}
	at, err := parseTarget(to, t.port)
	if err != nil {
		return addr
	}
	return at.String()
}

// maxAnswerHeader bounds an upstream's header; net/http would hold 10 MiB.
const maxAnswerHeader = 1 << 20

// newTransport makes the one transport that all upstream connections but the bound ones come from; tunnels are dialled with its
// DialContext (goproxy v1.9.3, https.go: dial).
func newTransport(u UpstreamConfig) *http.Transport {
	dialer := &net.Dialer{Timeout: u.DialTimeout}
	return &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, u.address(addr))
		},
		TLSClientConfig: &tls.Config{
			RootCAs:            u.Roots,
			MinVersion:         tls.VersionTLS12,
			ClientSessionCache: tls.NewLRUClientSessionCache(256),
		},
		TLSHandshakeTimeout: u.TLSHandshakeTimeout,
		// A TLSClientConfig of one's own switches HTTP/2 off unless it is asked for.
		ForceAttemptHTTP2: true,
		// Whatever coding upstream answers in goes to the client as it stands.
		DisableCompression:     true,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxAnswerHeader,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}
