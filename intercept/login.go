package intercept

import (
	"net/http"
	"net/netip"
)

// Login decides who may use the explicit door. It is asked by many goroutines at once, for every request and tunnel of a client.
type Login interface {
	// Allowed reports whether the password is the user's. It takes its time for a wrong one as it does for a right one.
	Allowed(user, password string) bool
}

// loggedIn answers 407 to a client that did not say who it is. The transparent door and the inside of a tunnel know no such question: a
// client that does not know of its proxy must not be asked for a password by it (RFC 9110, section 11.7).
func (f *front) loggedIn(w http.ResponseWriter, r *http.Request) bool {
	user, password, ok := proxyBasic(r)
	if ok && f.p.login.Allowed(user, password) {
		// Nobody further on is to see it. goproxy v1.9.3, proxy.go would take it away too, but only after other plugins' handlers.
		r.Header.Del("Proxy-Authorization")
		return true
	}
	f.p.refused.logins.Add(1)
	w.Header().Set("Proxy-Authenticate", `Basic realm="autodiscover-guard", charset="UTF-8"`)
	deny(w, http.StatusProxyAuthRequired, "this proxy asks for a name and a password")
	return false
}

// proxyBasic reads the field as net/http reads Authorization.
func proxyBasic(r *http.Request) (user, password string, ok bool) {
	fields := r.Header["Proxy-Authorization"]
	if len(fields) != 1 {
		return "", "", false
	}
	return (&http.Request{Header: http.Header{"Authorization": fields}}).BasicAuth()
}

// remoteAddrPort is the client's address and port; zero values where they cannot be read.
func remoteAddrPort(r *http.Request) netip.AddrPort {
	ap, _ := netip.ParseAddrPort(r.RemoteAddr)
	return ap
}

// remoteAddress is the client's address; the zero address, which nobody admits, where it cannot be read.
func remoteAddress(r *http.Request) netip.Addr {
	return remoteAddrPort(r).Addr().Unmap()
}
