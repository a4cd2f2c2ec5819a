package intercept

import "crypto/tls"

// greeting is what of a client's hello is remembered for the record of a handshake that fails.
type greeting struct {
	said    string // the server's name, as it came
	newest  uint16 // the newest version offered; 0 where none was
	refusal string // why the handshake is turned away
}

// newGreeting reads a hello. It is asked in every handshake, and keeps what is at hand.
func newGreeting(hello *tls.ClientHelloInfo) greeting {
	g := greeting{said: hello.ServerName}
	for _, v := range hello.SupportedVersions {
		if v <= tls.VersionTLS13 { // others are GREASE (RFC 8701)
			g.newest = max(g.newest, v)
		}
	}
	return g
}

// name is the canonical name of whom the client meant to reach; empty where it said nothing. A name may hold any bytes: what is no host name is
// left out.
func (g greeting) name() string {
	name, err := canonicalHost(g.said)
	if err != nil || g.said == "" {
		return ""
	}
	return name
}

// version is the newest version that was offered; empty where the client did not get that far.
func (g greeting) version() string {
	if g.newest == 0 {
		return ""
	}
	return tls.VersionName(g.newest)
}
