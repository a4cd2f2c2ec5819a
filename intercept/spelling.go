package intercept

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A path is sent on as its client spelled it: a signature may be over it. net/url (go1.26, url.go: EscapedPath) drops the client's spelling of the whole
// path where one byte of it should have been escaped, so that /a%2Fb|c would become /a/b%7Cc, another path.

const (
	// proper are the bytes beside letters and digits that net/url leaves alone in an escaped path (url.go: validEncoded).
	proper = "-._~!$&'()*+,;=:@/%[]"
	// lenient are those that browsers and programs send unescaped, and that no server takes for something else. A space, a number sign or a backslash is
	// escaped: it could end the path, or separate, for the server and not for the policy.
	lenient = "|\"^{}<>`"
)

// spelled is a request whose path goes out in its client's spelling. Only an Opaque URL makes net/http write another path than it would itself: as it
// stands, and with the scheme before two slashes, which is what a proxy wants.
func (x *exchange) spelled(req *http.Request) *http.Request {
	if asksWholeServer(req) {
		return x.withOpaque(req, "*", "")
	}
	path, odd := spelling(req.URL.RawPath)
	if !odd || strings.HasPrefix(path, "//") { // which would name another host
		return req
	}
	if plain, err := url.PathUnescape(req.URL.RawPath); err != nil || plain != req.URL.Path {
		return req // another handler has changed Path alone
	}
	return x.withOpaque(req, path, path)
}

// asksWholeServer reports whether a request is "OPTIONS *", which has no path in the absolute form (RFC 9112, section 3.2.4). net/http would ask for "/", and a proxy for "http://host*".
func asksWholeServer(req *http.Request) bool {
	u := req.URL
	return req.Method == http.MethodOptions && (u.Path == "" || u.Path == "*") && u.RawQuery == "" && !u.ForceQuery
}

// withOpaque is a request that goes out with the given target, or to a proxy with path behind the host.
func (x *exchange) withOpaque(req *http.Request, target, path string) *http.Request {
	u := *req.URL
	u.Opaque = target
	if x.p.dialer.httpParent(req) != nil {
		u.Opaque = "//" + u.Host + path
	}
	out := new(http.Request)
	*out = *req
	out.URL = &u
	return out
}

// spelling is a path as it goes out where net/url would spell it anew; odd reports that it would.
func spelling(raw string) (path string, odd bool) {
	for i := range len(raw) {
		odd = odd || !among(raw[i], proper)
	}
	if !odd {
		return "", false
	}
	var b strings.Builder
	for i := range len(raw) {
		if c := raw[i]; among(c, proper) || among(c, lenient) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String(), true
}

// among reports whether c is a letter, a digit or one of marks.
func among(c byte, marks string) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(marks, c) >= 0
}
