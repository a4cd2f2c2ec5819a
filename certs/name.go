package certs

import (
	"net/netip"
	"strings"
)

// Host names, in the one spelling in which certificates, the cache and the scope know them: ASCII, lower case, without
// the dot of the root.

const (
	maxName  = 253 // RFC 1035, section 2.3.4: 255 octets on the wire
	maxLabel = 63
)

// normalise folds case and takes one trailing dot off. It folds ASCII only: [strings.ToLower] would turn the Kelvin
// sign into "k", that is, a name that is not ours into one that is. It allocates only where something changes.
func normalise(name string) string {
	upper := false
	for i := range len(name) {
		c := name[i]
		if c >= 0x80 {
			return name // checkName refuses it
		}
		upper = upper || 'A' <= c && c <= 'Z'
	}
	if upper {
		name = strings.ToLower(name)
	}
	return strings.TrimSuffix(name, ".")
}

// checkName returns nil if name, already normalised, may stand in a certificate as a dNSName. Underscores are let
// through, as the standard library's verifier and OpenSSL do: they are not allowed in host names (RFC 1123, section
// 2.1), but mail servers named after Windows machines have them, and a name that may not be opened is not guarded.
func checkName(name string) *NameError {
	if p, want := misspelling(name); p != "" {
		if want != "" && checkName(want) != nil {
			want = ""
		}
		return &NameError{Name: name, Problem: p, Want: want}
	}
	if len(name) > maxName {
		return &NameError{Name: name, Problem: "is longer than 253 bytes"}
	}
	var last string
	for label := range strings.SplitSeq(name, ".") {
		if p := checkLabel(label); p != "" {
			return &NameError{Name: name, Problem: p}
		}
		last = label
	}
	if isNumber(last) {
		return &NameError{Name: name, Problem: "ends in a number, which clients read as an IPv4 address"}
	}
	return nil
}

// misspelling recognises what people write where a host name belongs, and guesses what they meant.
func misspelling(name string) (problem, want string) {
	switch {
	case name == "":
		return "is empty", ""
	case strings.Contains(name, "://"):
		_, host, _ := strings.Cut(name, "://")
		if i := strings.IndexAny(host, "/?#:"); i >= 0 {
			host = host[:i]
		}
		return "is a URL", host
	case strings.Contains(name, "@"):
		return "is a mail address", name[strings.LastIndexByte(name, '@')+1:]
	case isAddress(name):
		return "is an IP address, and the authority vouches for DNS names only", ""
	case strings.HasPrefix(name, "*."), strings.HasPrefix(name, "."):
		return "is a pattern, and a name already covers everything below it", strings.TrimLeft(name, "*.")
	case strings.Contains(name, "*"):
		return "is a pattern", ""
	case strings.Contains(name, ":"):
		host, _, _ := strings.Cut(name, ":")
		return "has a port", host
	}
	for i := range len(name) {
		if name[i] >= 0x80 {
			return `is not ASCII: write its A-label form, which begins with "xn--"`, ""
		}
	}
	return "", ""
}

func checkLabel(label string) (problem string) {
	switch {
	case label == "":
		return "has an empty label"
	case len(label) > maxLabel:
		return "has a label longer than 63 bytes"
	case label[0] == '-' || label[len(label)-1] == '-':
		return "has a label that begins or ends with a hyphen"
	}
	for i := range len(label) {
		c := label[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return "has a character that no host name has"
		}
	}
	return ""
}

func isAddress(name string) bool {
	_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	return err == nil
}

// isNumber reports whether a last label makes URL parsers read the whole name as an IPv4 address, as in "127.1" or
// "0x7f000001" (WHATWG URL, "ends in a number checker").
func isNumber(label string) bool {
	digits := "0123456789"
	if strings.HasPrefix(label, "0x") {
		label, digits = label[2:], "0123456789abcdef"
	}
	return strings.Trim(label, digits) == ""
}
