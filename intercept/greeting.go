package intercept

import (
	"crypto/tls"
	"slices"
)

// greeting is what of a client's hello is remembered for the record of a handshake that fails.
type greeting struct {
	name    string // canonical; empty where there was none, or no host name
	version string // the newest one offered
	refusal string // why the handshake is turned away
}

// newGreeting reads a hello. A name may hold any bytes: what is no host name is left out.
func newGreeting(hello *tls.ClientHelloInfo) greeting {
	var g greeting
	if name, err := canonicalHost(hello.ServerName); err == nil && hello.ServerName != "" {
		g.name = name
	}
	known := slices.DeleteFunc(slices.Clone(hello.SupportedVersions), func(v uint16) bool { return v < tls.VersionSSL30 || v > tls.VersionTLS13 }) //nolint:staticcheck // SSL 3.0 is named, not spoken
	if len(known) > 0 {                                                                                                                            // others are GREASE (RFC 8701)
		g.version = tls.VersionName(slices.Max(known))
	}
	return g
}
