package rules

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"autodiscover-guard/rules/dialect"
)

// Credentials says what secrets a request carried and whether they went on; never what they were.
type Credentials struct {
	Present bool
	// Scheme is the authentication scheme, lower case (basic, bearer, ntlm …; other for one that is not known), or the carrier (cookie, userinfo, query).
	Scheme    string
	Forwarded bool
}

// keptFields are the request header fields that a scrubbed question keeps: what the service needs to answer as it would answer the client,
// and nothing that proves who asks. An allow-list, because new ways to carry a secret are invented all the time.
var keptFields = [...]string{
	"Accept", "Accept-Language", "Content-Type", "Soapaction", "User-Agent",
	"X-Anchormailbox", "X-Clientcanhandle", "X-Email", "X-Mapihttpcapability", "X-User-Identity",
}

// keptParameters are the query parameters that a scrubbed question keeps, lower case.
var keptParameters = [...]string{
	"api-version", "app", "cd", "ct", "dns", "do", "domain", "email", "emailaddress", "hm", "json", "login", "name", "protocol",
	"protocols", "redirectcount", "serverlocation", "services", "timeout", "type", "username", "version", "xml",
}

// schemes are the authentication schemes of the IANA registry that mail clients use; others are logged as "other", because a client that
// writes a bare password into the field must not find it in a log.
var schemes = [...]string{"basic", "bearer", "digest", "hoba", "mac", "negotiate", "ntlm", "oauth", "pop", "scram-sha-256", "wssecurity"}

// credentials looks for secrets in a request.
func credentials(r dialect.Request) Credentials {
	for _, value := range r.Header["Authorization"] {
		if user, colon, ok := dialect.BasicUser(value); ok && !colon && strings.Contains(user, "@") {
			continue // AutoDetect's form without a password
		}
		scheme, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		if scheme = strings.ToLower(scheme); !slices.Contains(schemes[:], scheme) {
			scheme = "other"
		}
		return Credentials{Present: true, Scheme: scheme}
	}
	if len(r.Header["Cookie"]) > 0 {
		return Credentials{Present: true, Scheme: "cookie"}
	}
	if _, secret := r.URL.User.Password(); secret {
		return Credentials{Present: true, Scheme: "userinfo"}
	}
	if scrubQuery(r.URL.RawQuery) != r.URL.RawQuery {
		return Credentials{Present: true, Scheme: "query"}
	}
	return Credentials{}
}

// scrubHeader is the header of a question without its secrets. Of Basic credentials the user stays, because AutoDetect knows from nothing else
// whom it is asked about.
func scrubHeader(h dialect.Header) dialect.Header {
	out := dialect.Header{"Accept-Encoding": {"identity"}}
	for _, name := range keptFields {
		if values := h[name]; len(values) > 0 {
			out[name] = slices.Clone(values)
		}
	}
	if user, _, ok := dialect.BasicUser(h.Get("Authorization")); ok && isAddressLike(user) {
		out["Authorization"] = []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"))}
	}
	return out
}

// isAddressLike reports whether the user part of Basic credentials is a mail address and nothing else. Where the colon is missing the whole
// text is the user; a password alone must not pass for one.
func isAddressLike(user string) bool {
	local, domain, _ := strings.Cut(user, "@")
	return local != "" && domain != "" && !strings.ContainsAny(user, " \t\r\n") && !strings.Contains(domain, "@")
}

// scrubQuery keeps the parameters that discovery is known to use. A semicolon separates like an ampersand, as it does where subjects are read:
// what stands behind one must not pass as part of a known parameter.
func scrubQuery(raw string) string {
	kept := make([]string, 0, 4)
	for pair := range strings.FieldsFuncSeq(raw, func(r rune) bool { return r == '&' || r == ';' }) {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, _ := url.QueryUnescape(name); slices.Contains(keptParameters[:], strings.ToLower(decoded)) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

// unconditional is the header of a question without ranges, conditions and content codings. The question keeps its secrets, because it goes to a host in the set: the
// answer must come whole and readable, and a validator from before the guard must not let the client keep a poisoned answer.
func unconditional(h dialect.Header) dialect.Header {
	out := h.Clone()
	for _, name := range [...]string{"Range", "If-Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "Te", "A-Im"} {
		delete(out, name)
	}
	out["Accept-Encoding"] = []string{"identity"}
	return out
}
