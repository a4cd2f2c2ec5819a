package intercept

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"autodiscover-guard/rules/reserved"
)

// target is a host and a port as a CONNECT request, a URL or a Host field names them, in the one form in which they can be compared:
// lower case, ASCII, without brackets and without the trailing dot.
type target struct {
	host string
	port uint16
}

const (
	portHTTP  = 80
	portHTTPS = 443
)

var errTarget = errors.New("not a host and a port")

// names maps what a resolver would map (full-width letters, ideographic full stops, soft hyphens), so that no spelling of a guarded
// name is taken for another one. Underscores are allowed: they are in use.
var names = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// parseTarget reads an authority. A port that is missing is defaultPort, or an error where that is 0: RFC 9110, section 9.3.6 knows no
// default for CONNECT, and goproxy v1.9.4, https.go would take 80.
func parseTarget(authority string, defaultPort uint16) (target, error) {
	host, port, err := splitAuthority(authority)
	if err != nil {
		return target{}, err
	}
	t := target{port: defaultPort}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return target{}, fmt.Errorf("reading port %q: %w", port, errTarget)
		}
		t.port = uint16(n)
	}
	if t.port == 0 {
		return target{}, fmt.Errorf("reading authority %q: no port: %w", authority, errTarget)
	}
	t.host, err = canonicalHost(host)
	return t, err
}

// splitAuthority takes brackets and port off. It does not accept what url.Parse would make userinfo, path or query of.
func splitAuthority(authority string) (host, port string, err error) {
	bad := func() error { return fmt.Errorf("reading authority %q: %w", authority, errTarget) }
	if strings.ContainsAny(authority, "@/?#\\%\" \t\r\n") {
		return "", "", bad()
	}
	if rest, ok := strings.CutPrefix(authority, "["); ok {
		host, rest, ok = strings.Cut(rest, "]")
		if addr, _ := reserved.ParseAddr(host); !ok || !addr.Is6() {
			return "", "", bad()
		}
		port, ok = strings.CutPrefix(rest, ":")
		if !ok && rest != "" {
			return "", "", bad()
		}
		return host, port, nil
	}
	host, port, _ = strings.Cut(authority, ":")
	if host == "" || strings.Contains(port, ":") {
		return "", "", bad()
	}
	return host, port, nil
}

func canonicalHost(host string) (string, error) {
	if addr, ok := reserved.ParseAddr(host); ok {
		return addr.String(), nil
	}
	given := host
	bad := func() error { return fmt.Errorf("reading host %q: %w", given, errTarget) }
	host = strings.ToLower(host)
	for i := range len(host) {
		if host[i] >= 0x80 {
			ascii, err := names.ToASCII(host)
			if err != nil {
				return "", bad()
			}
			host = ascii
			break
		}
	}
	host = strings.TrimSuffix(host, ".")
	if len(host) > 253 {
		return "", bad()
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInHost) {
			return "", bad()
		}
	}
	return host, nil
}

func notInHost(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_')
}

// String is the target as a CONNECT request names it.
func (t target) String() string {
	return net.JoinHostPort(t.host, strconv.Itoa(int(t.port)))
}

// authority is the target as a URL of the scheme names it: without the scheme's own port.
func (t target) authority(scheme string) string {
	if t.port != defaultPort(scheme) {
		return t.String()
	}
	if strings.Contains(t.host, ":") {
		return "[" + t.host + "]"
	}
	return t.host
}

// web reports whether the port is one on which connections are opened.
func (t target) web() bool { return t.port == portHTTPS || t.port == portHTTP }

func defaultPort(scheme string) uint16 {
	if scheme == "https" {
		return portHTTPS
	}
	return portHTTP
}

// is reports whether name, as it stands in a handshake, is the target's host.
func (t target) is(name string) bool {
	host, err := canonicalHost(name)
	return err == nil && host == t.host
}

func hostOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport
	}
	return host
}
