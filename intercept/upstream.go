package intercept

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// UpstreamConfig says how upstreams are reached. The zero value dials them directly, refuses private addresses, and verifies upstreams
// against the system's roots. The environment's proxy settings are not followed unless Proxy says so: they may point at ourselves, and
// goproxy v1.9.4 then dials itself until no descriptor is left.
type UpstreamConfig struct {
	// Roots verify upstream certificates; nil means the system's. They stand alone: to add to the system's, start from x509.SystemCertPool.
	// [Plugin.PrepareUpstream] replaces them later.
	Roots *x509.CertPool
	// Resolve maps host or host:port to an address or address:port to dial in its place, like curl --connect-to; the name that is
	// verified stays. Such an address is never refused for being private, and is not dialled through a proxy; nor is what a name leads to that
	// stands in its place. Nil maps nothing.
	Resolve map[string]string
	// Private says which private addresses, and which of the computer's own, may be dialled: none where zero. It is asked at the dial itself, so a name that resolves to
	// such an address is refused like the address. A name that Proxy resolves is not: where that leads nobody here knows.
	Private Private
	// Proxy is the proxy behind us: http://, https:// or socks5:// (also socks5h://, which is the same: the proxy resolves the names), with
	// host and port and nothing else. "env" takes it from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as they are when the plugin is made;
	// credentials may stand in there. Empty means none. It may have a private address.
	Proxy string
	// NoProxy are the hosts that are dialled directly all the same, as in the environment's NO_PROXY: names (with what is below them) and
	// addresses, each with or without a port, and ranges. Loopback always is.
	NoProxy []string
	// ProxyCredentials are told to the proxy: with HTTP as Basic, which travels in the clear to an http:// one.
	// [Plugin.PrepareUpstream] replaces them later.
	ProxyCredentials Credentials
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
	if err := fillDurations("Upstream", []durationDefault{
		{"DialTimeout", &u.DialTimeout, 10 * time.Second},
		{"TLSHandshakeTimeout", &u.TLSHandshakeTimeout, 10 * time.Second},
		{"AnswerTimeout", &u.AnswerTimeout, 30 * time.Second},
	}); err != nil {
		return err
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
		if other, twice := resolve[key]; twice && other != bracketed(to) {
			return fmt.Errorf("reading Upstream.Resolve key %q: it is there in another spelling, with another value", from)
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
	if to, ok := u.override(addr); ok {
		return to
	}
	return addr
}

// override is the address that Resolve names for addr.
func (u *UpstreamConfig) override(addr string) (string, bool) {
	if len(u.Resolve) == 0 {
		return "", false
	}
	t, err := parseTarget(addr, 0)
	if err != nil {
		return "", false
	}
	to, ok := u.Resolve[t.String()]
	if !ok {
		to, ok = u.Resolve[t.host]
	}
	if !ok {
		return "", false
	}
	at, err := parseTarget(to, t.port)
	return at.String(), err == nil
}

const (
	// maxAnswerHeader bounds an upstream's header, as Chromium does; net/http would hold 10 MiB.
	maxAnswerHeader = 256 << 10
	// maxFields bounds how many fields it may have, and a request's. A field of a few bytes takes a hundred times as many, and once more for each map that it is copied into: a header of 1 MiB was 40 MB,
	// for as long as its client let the answer wait.
	maxFields = 2000
)

var errManyFields = errors.New("upstream's answer has too many header fields")

// tooManyFields reports whether a header has more fields than may be held.
func tooManyFields(h http.Header) bool {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	return n > maxFields
}

// maxAhead is how much of an answer in HTTP/2 an upstream may send before its client takes it. net/http would let it be 4 MiB, all in memory, for each stream: a client that asks for
// a hundred long answers over one connection and grants them no room would cost 400 MiB.
const maxAhead = 512 << 10

// newTransport makes the one transport that all upstream connections but the bound ones come from; tunnels are dialled with its
// DialContext (goproxy v1.9.4, https.go: dial).
func newTransport(d *dialer) *http.Transport {
	return &http.Transport{
		Proxy:       d.proxyFor,
		DialContext: d.dialShared,
		TLSClientConfig: &tls.Config{
			RootCAs:            d.settings.Load().roots,
			MinVersion:         tls.VersionTLS12,
			ClientSessionCache: tls.NewLRUClientSessionCache(256),
			// Apache and IIS ask for a client's certificate where a place wants one, behind the request (TLS 1.2): having none, we say so there as well.
			// The server's certificate must then be the same (go1.26, handshake_client.go: doFullHandshake).
			Renegotiation: tls.RenegotiateFreelyAsClient,
		},
		// A TLSClientConfig of one's own switches HTTP/2 off unless it is asked for.
		ForceAttemptHTTP2: true,
		// Whatever coding upstream answers in goes to the client as it stands.
		DisableCompression:     true,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxAnswerHeader,
		// In frames of 16 KiB, the default, a download costs half as much again.
		HTTP2: &http.HTTP2Config{MaxReadFrameSize: 128 << 10, MaxReceiveBufferPerStream: maxAhead, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}
