package intercept

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// Credentials are a name and a password for a proxy; the zero value is none. No way of printing, logging or encoding them shows either.
type Credentials struct{ user, password string }

// NewCredentials makes Credentials. What the proxy's protocol cannot say, a colon in the name or more than 255 bytes with SOCKS, is refused where
// they are put to use: by [New] and [Plugin.PrepareUpstream].
func NewCredentials(user, password string) Credentials { return Credentials{user, password} }

const noCredentialsShown = "(credentials)"

// Format implements fmt.Formatter.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(noCredentialsShown)) }

// MarshalText implements encoding.TextMarshaler.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(noCredentialsShown), nil }

func (c Credentials) none() bool { return c == Credentials{} }

// parent is a proxy behind us.
type parent struct {
	scheme      string // http, https, socks5
	host        string // what its certificate must name
	addr        string // host:port
	credentials Credentials
}

func (p *parent) speaksHTTP() bool { return p.scheme != schemeSOCKS }

const schemeSOCKS = "socks5"

// authorization is the Proxy-Authorization field, or "".
func (p *parent) authorization() string {
	if p.credentials.none() {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(p.credentials.user+":"+p.credentials.password))
}

// proxyURL is the parent for http.Transport.Proxy. It has the scheme http, because the connection that net/http gets is past TLS already.
func (p *parent) proxyURL() *url.URL {
	u := &url.URL{Scheme: "http", Host: p.addr}
	if !p.credentials.none() {
		u.User = url.UserPassword(p.credentials.user, p.credentials.password)
	}
	return u
}

// parents are the proxies behind us: the same for everything, unless the environment names two.
type parents struct {
	plain, secure *parent
	// proxied reports whether a host is asked for through them at all.
	proxied func(scheme, addr string) bool
}

func (ps *parents) none() bool { return ps.plain == nil && ps.secure == nil }

// at returns the parent that has the address.
func (ps *parents) at(addr string) *parent {
	for _, p := range [...]*parent{ps.plain, ps.secure} {
		if p != nil && p.addr == addr {
			return p
		}
	}
	return nil
}

// choose returns the parent that leads to addr, or nil for the direct way.
func (ps *parents) choose(to purpose, addr string) *parent {
	p, scheme := ps.secure, "https"
	if to == "http" {
		p, scheme = ps.plain, "http"
	}
	if p == nil || !ps.proxied(scheme, addr) {
		return nil
	}
	return p
}

// readParents reads the settings. Their values may hold a password that does not belong there, so no error repeats them.
func readParents(u *UpstreamConfig) (parents, error) {
	var plain, secure string
	noProxy := strings.Join(u.NoProxy, ",")
	inside := u.Proxy == fromEnvironment
	switch {
	case u.Proxy == "":
		return parents{}, nil
	case inside:
		env := httpproxy.FromEnvironment()
		plain, secure = env.HTTPProxy, env.HTTPSProxy
		noProxy = strings.Join([]string{noProxy, env.NoProxy}, ",")
	default:
		plain, secure = u.Proxy, u.Proxy
	}
	var ps parents
	var err error
	if ps.plain, err = readParent(plain, u.ProxyCredentials, inside); err != nil {
		return parents{}, fmt.Errorf("reading Upstream.Proxy: %w", err)
	}
	if ps.secure, err = readParent(secure, u.ProxyCredentials, inside); err != nil {
		return parents{}, fmt.Errorf("reading Upstream.Proxy: %w", err)
	}
	if ps.plain != nil && ps.secure != nil && ps.plain.addr == ps.secure.addr && *ps.plain != *ps.secure {
		return parents{}, errors.New("reading Upstream.Proxy: the environment names one address in two ways")
	}
	// Which hosts are left out is httpproxy's to know; whom it would ask does not matter.
	const some = "http://proxy.invalid"
	choose := (&httpproxy.Config{HTTPProxy: some, HTTPSProxy: some, NoProxy: noProxy}).ProxyFunc()
	ps.proxied = func(scheme, addr string) bool {
		via, err := choose(&url.URL{Scheme: scheme, Host: addr})
		return via != nil || err != nil
	}
	return ps, nil
}

// fromEnvironment is the value of Proxy that follows the environment.
const fromEnvironment = "env"

var errParent = errors.New(`want http://HOST:PORT, https://HOST:PORT, socks5://HOST:PORT or "env"`)

func readParent(raw string, c Credentials, inside bool) (*parent, error) {
	if raw == "" {
		return nil, nil
	}
	if inside && !strings.Contains(raw, "://") {
		raw = "http://" + raw // as httpproxy reads it
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errParent // err repeats the value
	}
	p := &parent{scheme: u.Scheme, credentials: c}
	port := uint16(portHTTP)
	switch u.Scheme {
	case "http":
	case "https":
		port = portHTTPS
	case schemeSOCKS, "socks5h":
		p.scheme, port = schemeSOCKS, 1080
	default:
		return nil, errParent
	}
	switch {
	case u.User != nil && !inside:
		return nil, errors.New("it holds a user; name and password belong into ProxyCredentials, where they are not logged")
	case u.User != nil && c.none():
		password, _ := u.User.Password()
		p.credentials = Credentials{u.User.Username(), password}
	}
	t, err := parseTarget(u.Host, port)
	if err != nil || !inside && (strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "") {
		return nil, errParent
	}
	p.host, p.addr = t.host, t.String()
	if p.scheme == schemeSOCKS && (len(p.credentials.user) > 255 || len(p.credentials.password) > 255) {
		return nil, errors.New("the name or the password is longer than SOCKS can say (RFC 1929, section 2: 255 bytes)")
	}
	if p.speaksHTTP() && strings.Contains(p.credentials.user, ":") {
		return nil, errors.New("the name holds a colon, which Basic cannot say (RFC 7617, section 2)")
	}
	return p, nil
}

// endsInNumber reports whether a host is read as an IPv4 address by those who read 0x7f.1 as 127.0.0.1, as inet_aton does and browsers do
// (WHATWG URL, section 3.5).
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" || net.ParseIP(host) != nil {
		return false
	}
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
