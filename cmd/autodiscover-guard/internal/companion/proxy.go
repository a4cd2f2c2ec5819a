package companion

import (
	"net"
	"strings"
)

// Proxy is the guard as clients reach it. The zero Proxy is none.
type Proxy struct {
	// Host is a name or an address without brackets, Port a number.
	Host, Port string
	// TLS says that the proxy itself is spoken to over TLS.
	TLS bool
	// Open says that a client may go directly where the proxy does not answer (fail-open); else it goes nowhere.
	Open bool
}

// Address is host:port, with brackets where an IPv6 address needs them.
func (p Proxy) Address() string { return net.JoinHostPort(p.Host, p.Port) }

// URL is the proxy in the form that environment variables and command lines want.
func (p Proxy) URL() string {
	if p.TLS {
		return "https://" + p.Address()
	}
	return "http://" + p.Address()
}

// result is what FindProxyForURL returns for a host that concerns the guard.
func (p Proxy) result() string {
	kind := "PROXY "
	if p.TLS {
		kind = "HTTPS "
	}
	if p.Open {
		return kind + p.Address() + "; DIRECT"
	}
	return kind + p.Address()
}

// oneLine takes out what could end a comment or a quoted text. Names are checked where they are read; this is the belt to those braces.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune("\"'\\<>&`", r) {
			return -1
		}
		return r
	}, s)
}
