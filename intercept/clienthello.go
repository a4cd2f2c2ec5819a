package intercept

import "crypto/tls"

// clientHello is what of a client's hello is remembered for the record of a handshake that fails.
type clientHello struct {
	serverName string // the server's name, as it came
	newest     uint16 // the newest version offered; 0 where none was
	refusal    string // why the handshake is turned away
}

// newClientHello reads a hello. It is asked in every handshake, and keeps what is at hand.
func newClientHello(hello *tls.ClientHelloInfo) clientHello {
	h := clientHello{serverName: hello.ServerName}
	for _, v := range hello.SupportedVersions {
		if v <= tls.VersionTLS13 { // others are GREASE (RFC 8701)
			h.newest = max(h.newest, v)
		}
	}
	return h
}

// name is the canonical name of whom the client meant to reach; empty where it said nothing. A name may hold any bytes: what is no host name is
// left out.
func (h clientHello) name() string {
	name, err := canonicalHost(h.serverName)
	if err != nil || h.serverName == "" {
		return ""
	}
	return name
}

// version is the newest version that was offered; empty where the client did not get that far.
func (h clientHello) version() string {
	if h.newest == 0 {
		return ""
	}
	return tls.VersionName(h.newest)
}
