package intercept

import (
	"context"
	"net/http"
	"net/netip"
)

// Login decides who may use the explicit door. It is asked by many goroutines at once, for every request and tunnel of a client.
type Login interface {
	// Allowed reports whether the password is the user's. It takes its time for a wrong one as it does for a right one. client is the client's
	// address, of IPv6 that of its network of 64 bits, so that one client's guesses can be kept from holding up everybody's log-in. An error
	// says that the password was not looked at: the client has too many under way (it is answered 429), or ctx, the request's, has ended.
	Allowed(ctx context.Context, client netip.Addr, user, password string) (bool, error)
}

// loggedIn answers 407 to a client that did not say who it is, and 429 to one that says it too often. The transparent door and the inside of a tunnel know no such question: a
// client that does not know of its proxy must not be asked for a password by it (RFC 9110, section 11.7).
func (f *front) loggedIn(w http.ResponseWriter, r *http.Request) bool {
	user, password, ok := proxyBasic(r)
	var err error
	if ok {
		ok, err = f.p.login.Allowed(r.Context(), clientKey(remoteAddress(r)), user, password)
	}
	if ok && err == nil {
		// Nobody further on is to see it. goproxy v1.9.4, proxy.go would take it away too, but only after other plugins' handlers.
		r.Header.Del("Proxy-Authorization")
		return true
	}
	f.p.refused.logins.Add(1)
	if err != nil {
		w.Header().Set("Retry-After", retryAfter)
		deny(w, http.StatusTooManyRequests, "this client tries too many passwords at once")
		return false
	}
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
