package intercept

import (
	"net/http"
	"strings"
)

// hopByHop are the fields that belong to one connection (RFC 9110, section 7.6.1) and so end at a proxy. goproxy v1.9.4 removes four of
// them from requests (proxy.go) and none from responses: a Keep-Alive field then breaks HTTP/2 clients, and a Proxy-Authenticate
// field makes them ask for a password.
var hopByHop = [...]string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// stripHopByHop removes the hop-by-hop fields and those that Connection names. It keeps what a WebSocket handshake needs where
// upgrade says so, and "TE: trailers", which every HTTP/2 hop may say anew.
func stripHopByHop(h http.Header, upgrade bool) {
	socket := upgrade && isWebSocket(h)
	trailers := listed(h, "Te", "trailers")
	stripNamed(h)
	for _, name := range hopByHop {
		delete(h, name)
	}
	if socket {
		h["Connection"] = []string{"Upgrade"}
		h["Upgrade"] = []string{"websocket"}
	}
	if trailers {
		h["Te"] = []string{"trailers"}
	}
}

// stripNamed removes the fields that Connection names. Requests need it before goproxy removes Connection itself (v1.9.4, proxy.go:
// RemoveProxyHeaders) and with it the knowledge of what was named. Upgrade stays: it is decided on later.
func stripNamed(h http.Header) {
	for _, field := range h["Connection"] {
		for name := range strings.SplitSeq(field, ",") {
			if name = strings.TrimSpace(name); !strings.EqualFold(name, "Upgrade") && !strings.EqualFold(name, "Te") {
				h.Del(name)
			}
		}
	}
}

func isWebSocket(h http.Header) bool {
	return listed(h, "Connection", "upgrade") && listed(h, "Upgrade", "websocket")
}

// listed reports whether the field, a list of tokens, has the token.
func listed(h http.Header, name, token string) bool {
	for _, field := range h[name] {
		for t := range strings.SplitSeq(field, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}
