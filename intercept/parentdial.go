package intercept

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/proxy"
)

// parentError is why a parent proxy did not lead to the host. Its text holds nothing of the configuration.
type parentError struct{ failure }

// Error implements error.
func (e *parentError) Error() string { return "upstream proxy: " + e.text }

// parentFailed puts the error of a connection to a parent into words, so that a client does not take it for the host's.
func parentFailed(err error) error {
	var own *parentError
	if errors.As(err, &own) || errors.Is(err, context.Canceled) {
		return err
	}
	f := failureOf(err)
	out := failure{classProxy, f.status, "cannot be reached: the upstream proxy " + f.text, f.check}
	if f.class == classLoop {
		out.class, out.text = classLoop, "cannot be reached: the upstream proxy is this proxy itself"
	}
	return &parentError{out}
}

func parentSays(text string) error {
	return &parentError{failure{classProxy, http.StatusBadGateway, "cannot be reached: the upstream proxy " + text, ""}}
}

// dialParent connects to a parent proxy.
func (d *dialer) dialParent(ctx context.Context, up *parent) (net.Conn, error) {
	c, err := d.trusted.DialContext(ctx, "tcp", d.config.address(up.addr))
	if err != nil {
		return nil, parentFailed(err)
	}
	if up.scheme != "https" {
		return c, nil
	}
	// No ALPN: a proxy that chooses HTTP/2 would want to be spoken to in HTTP/2.
	t, err := d.handshake(ctx, awaited(c), &tls.Config{RootCAs: d.settings.Load().roots, MinVersion: tls.VersionTLS12, ServerName: up.host})
	if err != nil {
		return nil, parentFailed(err)
	}
	return overTLS{t}, nil
}

// overTLS looks half-closable to goproxy (v1.9.4, https.go: halfClosable), which a TLS connection is, but for the name of a method.
type overTLS struct{ *tls.Conn }

// CloseRead has nothing to do: the other side has said that it will not write.
func (overTLS) CloseRead() error { return nil }

// dialThrough connects to addr by way of a parent proxy, within the time that a connection may take.
func (d *dialer) dialThrough(ctx context.Context, up *parent, addr string) (net.Conn, error) {
	if err := d.checkLiteral(addr); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.config.DialTimeout)
	defer cancel()
	c, err := d.dialParent(ctx, up)
	if err != nil {
		return nil, err
	}
	if up.speaksHTTP() {
		err = d.connectHTTP(ctx, c, up, addr)
	} else {
		err = connectSOCKS(ctx, c, up, addr)
	}
	if err != nil {
		_ = c.Close()
		return nil, parentFailed(err)
	}
	return c, nil
}

// connectHTTP asks an HTTP proxy for a tunnel.
func (d *dialer) connectHTTP(ctx context.Context, c net.Conn, up *parent, addr string) error {
	// An overdue or cancelled wait ends the read; the connection is given up then.
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{"User-Agent": {""}}}
	// So that we know it when it comes back, and others that it has been with before us.
	if i, _ := dialInfoOf(ctx); len(i.via) > 0 {
		req.Header["Via"] = i.via
	} else {
		req.Header.Set("Via", "1.1 "+d.viaName)
	}
	if a := up.authorization(); a != "" {
		req.Header.Set("Proxy-Authorization", a)
	}
	if err := req.Write(c); err != nil {
		return causeOf(ctx, err)
	}
	// Byte by byte: what follows the answer is the host's, which may speak first.
	status, header, err := finalStatus(textproto.NewReader(bufio.NewReader(io.LimitReader(byteByByte{c}, maxParentHeader))))
	if err != nil {
		return causeOf(ctx, err)
	}
	if status < 200 || status > 299 {
		return up.says(status, http.Header(header))
	}
	if !stop() { // the deadline is set already, or about to be
		return context.Cause(ctx)
	}
	return nil
}

const (
	maxParentHeader = 64 << 10
	// maxInterim is how many answers a proxy may give before the one that counts.
	maxInterim = 8
)

// finalStatus reads the status and the header of the answer to a CONNECT request, past the interim ones. It reads no body, whatever the header promises: behind 2xx the tunnel
// begins at once (RFC 9110, section 9.3.6: Content-Length and Transfer-Encoding MUST be ignored), and behind anything else the connection ends.
// http.ReadResponse would wait for that body, or refuse a coding that nobody has to know.
func finalStatus(r *textproto.Reader) (int, textproto.MIMEHeader, error) {
	for range maxInterim + 1 {
		line, err := r.ReadLine()
		if err != nil {
			return 0, nil, err
		}
		version, rest, _ := strings.Cut(line, " ")
		code, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
		_, _, ok := http.ParseHTTPVersion(version)
		status, err := strconv.ParseUint(code, 10, 16)
		if err != nil || !ok || len(code) != 3 {
			return 0, nil, errNotHTTP
		}
		header, err := r.ReadMIMEHeader()
		if err != nil {
			return 0, nil, err
		}
		if status < 100 || status > 199 || status == http.StatusSwitchingProtocols { // that one is final
			return int(status), header, nil
		}
	}
	return 0, nil, errNotHTTP
}

var errNotHTTP = errors.New("the answer is not HTTP/1")

// byteByByte reads one byte at a time.
type byteByByte struct{ io.Reader }

// Read implements io.Reader.
func (s byteByByte) Read(b []byte) (int, error) { return s.Reader.Read(b[:min(len(b), 1)]) }

// causeOf is why ctx ended, or else err: a deadline in the past is how the end of ctx looks on the connection.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// connectSOCKS asks a SOCKS5 proxy for a tunnel (RFC 1928). The name goes there unresolved.
func connectSOCKS(ctx context.Context, c net.Conn, up *parent, addr string) error {
	var auth *proxy.Auth
	if !up.credentials.none() {
		auth = &proxy.Auth{User: up.credentials.user, Password: up.credentials.password}
	}
	d, err := proxy.SOCKS5("tcp", up.addr, auth, nil)
	if err != nil {
		return err
	}
	// With a connection that we made ourselves, the tunnel stays a TCP connection and can be spliced.
	on, ok := d.(interface {
		DialWithConn(ctx context.Context, c net.Conn, network, address string) (net.Addr, error)
	})
	if !ok {
		return errors.New("golang.org/x/net/proxy has changed")
	}
	if _, err := on.DialWithConn(ctx, c, "tcp", addr); err != nil {
		if n, ok := errors.AsType[net.Error](err); ctx.Err() != nil || ok && n.Timeout() { // the connection may notice first
			return causeOf(ctx, err)
		}
		return socksFailed(err)
	}
	return nil
}

// socksFailed puts a SOCKS proxy's refusal into words. The texts are those of golang.org/x/net v0.62.0, internal/socks.
func socksFailed(err error) error {
	text := err.Error()
	for _, c := range []struct{ ends, says string }{
		{"no acceptable authentication methods", "asks for credentials"},
		{"username/password authentication failed", "does not accept the credentials"},
		{"invalid username/password", "does not accept the credentials"},
		{"connection not allowed by ruleset", "refuses to lead there"},
		{"network unreachable", "cannot reach it"},
		{"host unreachable", "cannot reach it"},
		{"connection refused", "is not let in there"},
		{"TTL expired", "cannot reach it"},
	} {
		if strings.HasSuffix(text, c.ends) {
			return parentSays(c.says)
		}
	}
	if strings.Contains(text, "unknown error ") {
		return parentSays("cannot reach it")
	}
	return parentSays("does not speak SOCKS5")
}
