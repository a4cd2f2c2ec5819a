package dialect

import (
	"net/url"
	"strconv"
	"strings"

	"autodiscover-guard/rules/reserved"
)

// suggestHost makes a suggestion of a value that should be a host name but in practice may be a URL (POX Server of type WEB), an address
// (GUID@domain, POX Server of type EXCH) or carry a port.
func suggestHost(path, protocol, value string) (Suggestion, bool) {
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		return Suggestion{}, false
	case strings.Contains(value, "//") && !relative(value), webScheme(value): // stranger.net//mail.lab.test is no URL, and to who puts a scheme before it the stranger's
		return suggestURL(KindURL, path, protocol, value)
	case strings.Contains(value, "@"):
		return suggestMailboxServer(path, protocol, value)
	}
	return Suggestion{Path: path, Kind: KindHostname, Protocol: protocol, Host: hostName(value), Port: portBehind(value), Was: value}, true
}

// suggestURL makes a suggestion of a URL. A relative one names no host and is none.
func suggestURL(kind Kind, path, protocol, value string) (Suggestion, bool) {
	value = strings.TrimSpace(value)
	if value == "" || relative(value) {
		return Suggestion{}, false
	}
	host, port := urlHost(value)
	return Suggestion{Path: path, Kind: kind, Protocol: protocol, Host: host, Port: port, Was: value}, true
}

// suggestWholeURL is suggestURL where nobody writes a reference: mail.lab.test:443/EWS lacks its scheme, and lenient clients add it.
func suggestWholeURL(kind Kind, path, protocol, value string) (Suggestion, bool) {
	value = strings.TrimSpace(value)
	if strings.Contains(value, "://") && !relative(value) { // as nearly all are
		return suggestURL(kind, path, protocol, value)
	}
	authority := value
	if end := strings.IndexAny(value, "/?#"); end >= 0 {
		authority = value[:end]
	}
	host, port := urlHost("//" + authority)
	if !strings.Contains(host, ".") || strings.Contains(authority, "@") || ambiguous(value) {
		return suggestURL(kind, path, protocol, value)
	}
	return Suggestion{Path: path, Kind: kind, Protocol: protocol, Host: host, Port: port, Was: value}, true
}

// suggestAddress makes a suggestion of a mail address: its domain is asked next. What stands behind the domain, or beside the address, belongs to it for some client.
func suggestAddress(path, protocol, value string) (Suggestion, bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return Suggestion{}, false
	}
	s := Suggestion{Path: path, Kind: KindAddress, Protocol: protocol, Was: value}
	if found := addresses(value, ""); len(found) == 1 && strings.HasSuffix(value, found[0].Address) {
		s.Host = hostName(found[0].Address[lastAt(found[0].Address)+1:])
	}
	return s, true
}

// suggestMailto is suggestAddress for a URL, which may have header fields behind the address (RFC 6068, section 2).
func suggestMailto(path, protocol, value string) (Suggestion, bool) {
	address, _, _ := strings.Cut(value, "?")
	s, ok := suggestAddress(path, protocol, address)
	s.Was = value
	return s, ok
}

// suggestMailboxServer makes a suggestion of the server that a mailbox has for itself since Exchange 2013: GUID@DOMAIN. What stands before the sign and has a
// dot is no GUID, but perhaps a host to somebody; and one with a slash is, behind https://, to everybody.
func suggestMailboxServer(path, protocol, value string) (Suggestion, bool) {
	s, ok := suggestAddress(path, protocol, value)
	if strings.Trim(strings.ToLower(value[:strings.LastIndexByte(value, '@')]), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		s.Host = ""
	}
	return s, ok
}

// suggestPort makes a suggestion of a port that belongs to host.
func suggestPort(path, protocol, value, host string) (Suggestion, bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return Suggestion{}, false
	}
	port, _ := strconv.ParseUint(value, 10, 16)
	return Suggestion{Path: path, Kind: KindPort, Protocol: protocol, Host: host, Port: uint16(port), Was: value}, true
}

// hostName normalises a bare host name. A value with characters that no host name has is nobody's, whatever it ends in: of stranger.net:x.lab.test one
// client reads what stands before the colon, and of a name with a NUL, a comma or a space in it another one. A percent sign is that of an address's zone.
func hostName(value string) string {
	if strings.ContainsAny(value, " \t\r\n/\\@?#<>\"'") {
		return ""
	}
	if host := reserved.Canonical(value); isHost(host) && (!strings.Contains(value, "%") || strings.Contains(host, ":")) {
		return host
	}
	return ""
}

// isHost reports whether a canonical name can be a host's: letters, digits, hyphens, underscores (which occur) and dots, or an address.
func isHost(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return reserved.IsAddress(name)
		}
	}
	return true
}

// portBehind is the port in host:port, or 0.
func portBehind(value string) uint16 {
	i := strings.LastIndexByte(value, ':')
	if i < 0 || strings.Count(value, ":") > 1 && !strings.HasSuffix(value[:i], "]") {
		return 0
	}
	port, _ := strconv.ParseUint(value[i+1:], 10, 16)
	return uint16(port)
}

// urlHost reads host and port out of an absolute or scheme-relative URL. It returns no host where the URL is not beyond doubt: lenient
// parsers (WHATWG) take a backslash for a slash and drop tabs and newlines, strict ones do not.
func urlHost(value string) (string, uint16) {
	if ambiguous(value) {
		return "", 0
	}
	// Placeholders and URI templates ({accountId}, %EMAILDOMAIN%) are no valid percent-encoding but may stand behind the host.
	authority := value
	if i := strings.Index(value, "//"); i >= 0 {
		if end := strings.IndexAny(value[i+2:], "/?#"); end >= 0 {
			authority = value[:i+2+end]
		}
	}
	u, err := url.Parse(authority)
	if err != nil || u.Host == "" {
		return "", 0
	}
	// The host of https://stranger.net%E3%80%82lab.test ends at the sign to url.parse of Node 20.
	if strings.Contains(authority[strings.LastIndexByte(authority, '@')+1:], "%") && !strings.Contains(u.Hostname(), ":") {
		return "", 0
	}
	port, _ := strconv.ParseUint(u.Port(), 10, 16)
	return hostName(u.Hostname()), uint16(port)
}

// ambiguous reports whether a URL holds what parsers read in different ways: a backslash, or a control character, which some drop.
func ambiguous(value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' })
}

// webScheme reports whether a value begins like a URL of the web, with or without slashes: browsers (WHATWG) take https:stranger.net for what it would be
// with them.
func webScheme(value string) bool {
	scheme, _, ok := strings.Cut(value, ":")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// relative reports whether a reference stays on the host that it came from (RFC 3986, section 4.2): no scheme and no authority, in any
// reading.
func relative(value string) bool {
	if strings.HasPrefix(value, "//") || ambiguous(value) {
		return false
	}
	scheme, _, ok := strings.Cut(value, ":")
	return !ok || strings.ContainsAny(scheme, "/?#")
}
