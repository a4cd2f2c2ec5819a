package intercept

import (
	"net/http"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// Every request that is forwarded says in its Via field that it came by here (RFC 9110, section 7.6.3), under a name that no other process
// has, so that one that comes back is known, whichever way it came.
//
// Answers do not get the field, although the same section asks for it: what is not ours comes out with the header that upstream sent
// (the package documentation says where else it departs from RFC 9110), and no loop is found by an answer.

// addVia adds our entry to a request's Via, behind those of others.
func (p *Plugin) addVia(r *http.Request) {
	if p.viaNamesUs(r) {
		return // another plugin sends it twice
	}
	r.Header["Via"] = p.extendedVia(r)
}

// extendedVia is a request's Via with our entry added.
func (p *Plugin) extendedVia(r *http.Request) []string {
	return append(slices.Clip(r.Header["Via"]), receivedProtocol(r)+" "+p.viaName)
}

// receivedProtocol is the version of HTTP that the client spoke, as Via names it.
func receivedProtocol(r *http.Request) string {
	switch {
	case r.ProtoMajor >= 2:
		return "2.0"
	case r.ProtoMajor == 1 && r.ProtoMinor == 0:
		return "1.0"
	}
	return "1.1"
}

// viaNamesUs reports whether a request has been here before, by its Via.
func (p *Plugin) viaNamesUs(r *http.Request) bool {
	for _, field := range r.Header["Via"] {
		if strings.Contains(strings.ToLower(field), p.viaName) {
			return true
		}
	}
	return false
}

// maxVia is how long a Via can be that is believed: it has room for two hundred proxies, and what is longer many servers would not read.
const maxVia = 8 << 10

// viaTooLong reports whether a request has come by more proxies than anybody sets up: it goes in a circle of proxies that do not know their own names.
func viaTooLong(r *http.Request) bool {
	n := 0
	for _, field := range r.Header["Via"] {
		n += len(field)
	}
	return n > maxVia
}

const (
	loopReason = "the request's Via names this proxy"
	loopText   = "this request has been here before; somewhere behind this proxy the way leads back to it"

	viaTooLongReason = "the request's Via is longer than any way"
	viaTooLongText   = "this request has come by more proxies than can be meant; somewhere before this one the way leads in a circle"
)

// denyLoop answers a request that goes in a circle, and reports whether it did.
func (p *Plugin) denyLoop(w http.ResponseWriter, r *http.Request) bool {
	reason, text := loopReason, loopText
	switch {
	case p.viaNamesUs(r):
	case viaTooLong(r):
		reason, text = viaTooLongReason, viaTooLongText
	default:
		return false
	}
	p.noteLoop(hostOf(r.URL.Host), clientAddress(r.RemoteAddr), reason)
	// RFC 9209, section 2.3 has the word for it.
	w.Header().Set("Proxy-Status", p.viaName+"; error=proxy_loop_detected")
	deny(w, http.StatusLoopDetected, text)
	return true
}

// noteLoop counts and logs a loop that was refused.
func (p *Plugin) noteLoop(host, client, reason string) {
	p.refused.loops.Add(1)
	p.logger.Warn("loop refused", zap.String(keyHost, clip(host)), zap.String(keyClient, client), zap.String(keyReason, reason))
}
