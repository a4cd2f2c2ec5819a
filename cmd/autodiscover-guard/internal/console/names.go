package console

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// ownNameOnly refuses requests for a name that is not ours: loopback addresses, localhost, names, and the address at which the connection has
// arrived. A page of a stranger's name that leads here says that name (DNS rebinding).
func ownNameOnly(names []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isOwnName(r, names) {
			sendText(w, http.StatusMisdirectedRequest, "ask by address, as localhost, or by the name in listen.admin_url or listen.name")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isOwnName(r *http.Request, names []string) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(trimBrackets(host)), ".")
	addr, err := netip.ParseAddr(host)
	if err == nil && (addr.IsLoopback() || addr.Unmap() == arrivedAt(r)) || host == "localhost" {
		return true
	}
	for _, name := range names {
		if name != "" && host == name {
			return true
		}
	}
	return false
}

// arrivedAt is our own address of the request's connection; the zero address where there is none.
func arrivedAt(r *http.Request) netip.Addr {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return netip.Addr{}
	}
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// ownPageOnly refuses what a browser asks for on behalf of another site's page. That page could not read it, but it could keep the places of
// those who can. A program sends no such header, and a browser always does where the origin is trustworthy, as loopback is (Fetch Metadata).
func ownPageOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Sec-Fetch-Site") {
		case "", "none", "same-origin":
			next.ServeHTTP(w, r)
		default:
			sendText(w, http.StatusForbidden, "not for the pages of other sites")
		}
	})
}

func trimBrackets(host string) string {
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		return host[1 : n-1]
	}
	return host
}
