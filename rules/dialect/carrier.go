package dialect

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"autodiscover-guard/rules/reserved"
)

const (
	// CarrierLogin is the carrier of subjects that a request logs in as.
	CarrierLogin = "header:Authorization"
	// CarrierHost is the carrier of the subject that the asked host is about, which is nobody's account where it is a provider's.
	CarrierHost = "host"
)

// discoveryLabels are the labels that discovery puts before the mail domain.
var discoveryLabels = [...]string{"autodiscover.", "autoconfig.", "ua-auto-config."}

// addressFields are the request header fields that hold the account's address (MS-OXDSCLI 2.2.2, and as seen from Windows Mail and
// Outlook for Mac).
var addressFields = [...]string{"X-Email", "X-Anchormailbox", "X-User-Identity", "From"}

// addressParameters are the query parameters in which clients name the account, lower case.
var addressParameters = [...]string{"email", "emailaddress", "login", "username", "user", "name", "smtp"}

// identityClaims are the claims of a bearer token that name its owner (Microsoft identity platform, ID and access token claims).
var identityClaims = [...]string{"upn", "unique_name", "preferred_username", "email"}

// CarrierSubjects lists whom any request is about, from the carriers that belong to no dialect: host, query, header fields, user information.
//
// It is called for all traffic of opened hosts, nearly all of which is about its host alone: small enough to be inlined, it keeps that on
// the caller's stack.
func CarrierSubjects(r Request) []Subject {
	var few [2]Subject
	return appendCarriers(few[:0], r)
}

func appendCarriers(all []Subject, r Request) []Subject {
	return appendCommon(appendHost(all, r.Host()), r)
}

// subjects collects whom a request is about from every place where clients are known to say so. Carriers may disagree; all count.
func subjects(r Request, host string, f *wireFormat) []Subject {
	all := appendHost(nil, host)
	if f.pathSubjects != nil {
		all = append(all, f.pathSubjects(r.URL.Path)...)
	}
	if f.querySubjects != nil {
		all = append(all, f.querySubjects(r.URL)...)
	}
	all = appendCommon(all, r)
	if f.bodySubjects != nil && len(r.Body) > 0 {
		all = append(all, f.bodySubjects(r)...)
	}
	return all
}

// appendCommon adds whom the places that all dialects share are about.
func appendCommon(all []Subject, r Request) []Subject {
	all = append(all, querySubjects(r.URL)...)
	all = append(all, headerSubjects(r.Header)...)
	return append(all, UserinfoSubjects(r.URL)...)
}

// IsCentral reports whether host, in lower case, belongs to a central service of any dialect: its name says nothing of the account that is asked about.
func IsCentral(host string) bool {
	for _, f := range table() {
		for i := range f.info.Services {
			if f.info.Services[i].Covers(host) {
				return true
			}
		}
	}
	return false
}

// appendHost adds whom the asked host is about: the domain whose discovery host it is, else itself.
func appendHost(all []Subject, host string) []Subject {
	if IsCentral(host) {
		return all
	}
	return appendHostDomain(all, host)
}

// appendHostDomain is appendHost for a host that is no central service's.
func appendHostDomain(all []Subject, host string) []Subject {
	domain := reserved.Canonical(host)
	if of, ok := DiscoveryDomain(domain); ok {
		domain = of
	}
	if domain == "" || reserved.IsAddress(domain) {
		return all
	}
	return append(all, Subject{Domain: domain, Carrier: CarrierHost})
}

// DiscoveryDomain is the mail domain whose discovery host a canonical host is by its name (autodiscover.DOMAIN); ok is false for all other hosts.
func DiscoveryDomain(host string) (domain string, ok bool) {
	for _, label := range discoveryLabels {
		if domain, ok := strings.CutPrefix(host, label); ok {
			return domain, true
		}
	}
	return "", false
}

func querySubjects(u *url.URL) []Subject {
	var all []Subject
	for rest := u.RawQuery; rest != ""; {
		end := 0
		for end < len(rest) && rest[end] != '&' && rest[end] != ';' {
			end++
		}
		name, value, _ := strings.Cut(rest[:end], "=")
		rest = rest[min(end+1, len(rest)):]
		name = strings.ToLower(unescape(name))
		for _, known := range addressParameters {
			if name == known {
				all = append(all, addresses(unescape(value), "query:"+known)...)
			}
		}
		if name == "domain" {
			if domain := domainOf(strings.Trim(unescape(value), " .@")); domain != "" {
				all = append(all, Subject{Domain: domain, Carrier: "query:domain"})
			}
		}
	}
	return all
}

// unescape decodes percent-encoding only: a plus sign stays one, because it is part of many an address and of no domain.
func unescape(s string) string {
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	return s
}

func headerSubjects(h Header) []Subject {
	all := LoginSubjects(Request{Header: h})
	for _, name := range addressFields {
		for _, value := range h[name] {
			all = append(all, addresses(value, "header:"+name)...)
		}
	}
	return all
}

// LoginSubjects lists whom a request logs in as, as far as its credentials say.
func LoginSubjects(r Request) []Subject {
	var all []Subject
	for _, value := range r.Header["Authorization"] {
		all = append(all, authorizationSubjects(value)...)
	}
	return all
}

// UserinfoSubjects lists whom a URL says to log in as.
func UserinfoSubjects(u *url.URL) []Subject {
	if u.User == nil {
		return nil
	}
	return userSubjects(u.User.Username(), "userinfo")
}

func authorizationSubjects(value string) []Subject {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	switch {
	case strings.EqualFold(scheme, "Basic"):
		user, _, _ := BasicUser(value)
		return userSubjects(user, CarrierLogin)
	case strings.EqualFold(scheme, "Bearer"):
		return tokenSubjects(rest)
	case strings.EqualFold(scheme, "Digest"):
		return addresses(digestUser(rest), CarrierLogin)
	case strings.EqualFold(scheme, "NTLM"), strings.EqualFold(scheme, "Negotiate"):
		return ntlmSubjects(rest)
	}
	return nil
}

// BasicUser reads the user out of an Authorization field of the Basic scheme (RFC 7617). Clients of AutoDetect also send the user alone,
// without a colon; colon tells. The decoding accepts both alphabets and missing padding, as servers do. ok is false for other schemes
// and for what cannot be decoded.
func BasicUser(authorization string) (user string, colon, ok bool) {
	scheme, encoded, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", false, false
	}
	decoded, err := decodeBase64(strings.TrimSpace(encoded))
	if err != nil {
		return "", false, false
	}
	user, _, colon = strings.Cut(string(decoded), ":")
	return user, colon, true
}

// userSubjects reads a user name: an address, DOMAIN\user, or DOMAIN\address. A domain before the backslash counts where it has a dot: a
// bare one is a NetBIOS name, which says nothing about mail.
func userSubjects(user, carrier string) []Subject {
	all := addresses(user, carrier)
	if domain, _, ok := strings.Cut(user, `\`); ok && strings.Contains(domain, ".") {
		if d := domainOf(domain); d != "" {
			all = append(all, Subject{Domain: d, Carrier: carrier})
		}
	}
	return all
}

// digestUser is the username of a Digest response (RFC 7616, section 3.4), which stands in username* as UTF-8”user%40lab.test where it is not ASCII.
func digestUser(parameters string) string {
	if _, after, ok := strings.Cut(parameters, `username="`); ok {
		user, _, _ := strings.Cut(after, `"`)
		return user
	}
	_, after, _ := strings.Cut(parameters, "username*=")
	user, _, _ := strings.Cut(after[strings.LastIndexByte(after, '\'')+1:], ",")
	return unescape(user)
}

// tokenSubjects reads the claims of a JSON Web Token (RFC 7519) without verifying it: it only says about whom the client asks.
func tokenSubjects(token string) []Subject {
	payload, err := tokenPayload(token)
	if err != nil {
		return nil
	}
	defer payload.free()
	var all []Subject
	for _, member := range payload.root.members {
		for _, claim := range identityClaims {
			if member.name == claim && member.value.kind == jsontext.KindString {
				all = append(all, addresses(member.value.text, CarrierLogin)...)
			}
		}
	}
	return all
}

func tokenPayload(token string) (jsonDocument, error) {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	decoded, err := decodeBase64(payload)
	if err != nil {
		return jsonDocument{}, err
	}
	return readJSON(decoded)
}

// decodeBase64 accepts both alphabets of RFC 4648, with and without padding, and in lines, which a field folds into one with spaces: .NET's decoder passes over them.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, " \t\r\n") {
		s = strings.Join(strings.Fields(s), "")
	}
	s = strings.TrimRight(s, "=")
	if strings.ContainsAny(s, "-_") {
		return base64.RawURLEncoding.DecodeString(s)
	}
	return base64.RawStdEncoding.DecodeString(s)
}
