package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

// questionTimeout is how long one question may take: longer than any client's, and than a guard takes to give an upstream up.
const questionTimeout = 45 * time.Second

// route is how the guard is reached.
type route struct {
	// proxy is an http or https URL, perhaps with the name and password that the proxy itself asks for.
	proxy *url.URL
	// proxyRoots verifies an https proxy; nil is the system's roots.
	proxyRoots *x509.CertPool
	// roots verify what the guard opens; nil is the system's roots.
	roots *x509.CertPool
	// balancers are the addresses from which the proxy wants a PROXY header (listen.proxy_protocol).
	balancers []netip.Prefix
}

// routeTo is how the guard of c is reached. A proxy that is not known to be it, a load balancer in front of it perhaps, takes no PROXY header.
func routeTo(c *Config) route {
	w := route{proxy: c.Proxy, proxyRoots: c.ProxyRoots}
	if c.Local {
		w.balancers = c.Settings.Listen.ProxyProtocol
	}
	if c.Root != nil {
		w.roots = pool(c.Root)
	}
	return w
}

// transport carries a client's requests. Whoever uses it closes its idle connections.
func (w route) transport() *http.Transport {
	return &http.Transport{
		Proxy:              http.ProxyURL(w.proxy),
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return w.connect(ctx) },
		DialTLSContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return w.dial(ctx) }, // only to an https proxy
		TLSClientConfig:    &tls.Config{RootCAs: w.roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:  true,
		DisableCompression: true,
	}
}

// connect connects to the proxy, and says there, where a load balancer is expected, that this is a connection of its own.
func (w route) connect(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.address())
	if err != nil {
		return nil, err
	}
	here, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err == nil && slices.ContainsFunc(w.balancers, func(p netip.Prefix) bool { return p.Contains(here.Addr().Unmap()) }) {
		if _, err := io.WriteString(conn, "PROXY UNKNOWN\r\n"); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// dial connects to the proxy, and through TLS where it speaks that.
func (w route) dial(ctx context.Context) (net.Conn, error) {
	conn, err := w.connect(ctx)
	if err != nil || w.proxy.Scheme != "https" {
		return conn, err
	}
	secured := tls.Client(conn, &tls.Config{RootCAs: w.proxyRoots, ServerName: w.proxy.Hostname(), MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("the proxy's own certificate: %w", err)
	}
	return secured, nil
}

// address is that of the proxy, with a port.
func (w route) address() string {
	if w.proxy.Port() != "" {
		return w.proxy.Host
	}
	return net.JoinHostPort(w.proxy.Hostname(), map[bool]string{true: "443", false: "80"}[w.proxy.Scheme == "https"])
}

// reply is how the proxy answers CONNECT; the zero value is not at all.
type reply struct {
	code int
	// text is the code with its words.
	text string
}

// tunnel asks for one. conn is nil where it is denied, and r then says how.
func (w route) tunnel(ctx context.Context, target string) (conn net.Conn, r reply, err error) {
	if conn, err = w.dial(ctx); err != nil {
		return nil, r, err
	}
	defer func() {
		if err != nil || r.code != http.StatusOK {
			_ = conn.Close()
			conn = nil
		}
	}()
	if deadline, ok := ctx.Deadline(); ok {
		if err = conn.SetDeadline(deadline); err != nil {
			return conn, r, err
		}
	}
	connect := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target}, Host: target, Header: http.Header{}}
	if u := w.proxy.User; u != nil {
		password, _ := u.Password()
		connect.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	if err = connect.Write(conn); err != nil {
		return conn, r, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), connect) // the other end of a tunnel waits for us to begin
	if err != nil {
		return conn, r, err
	}
	answer.Body.Close()
	return conn, reply{answer.StatusCode, answer.Status}, nil
}

// leaf opens a tunnel to a host and gives the certificate that comes out of it, if it is one of the guard's authority.
func (w route) leaf(ctx context.Context, host string) (*x509.Certificate, reply, error) {
	conn, r, err := w.tunnel(ctx, net.JoinHostPort(host, "443"))
	if err != nil || conn == nil {
		return nil, r, err
	}
	defer conn.Close()
	client := tls.Client(conn, &tls.Config{ServerName: host, RootCAs: w.roots, MinVersion: tls.VersionTLS12})
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, r, err
	}
	return client.ConnectionState().PeerCertificates[0], r, nil
}

// PresentedLeaf asks a guard (of c: Proxy, ProxyRoots, Root, Local, Settings) for a host, as a client does, and gives the certificate that it presents. asked is false where it did not come to
// that: nobody answers, or does not let this client in. With an error and asked, the certificate does not come from the root.
func PresentedLeaf(ctx context.Context, c Config, host string) (leaf *x509.Certificate, asked bool, err error) {
	leaf, r, err := routeTo(&c).leaf(ctx, host)
	if err == nil && leaf == nil {
		err = fmt.Errorf("CONNECT %s is answered with %s", host, r.text)
	}
	return leaf, r.code == http.StatusOK, err
}
