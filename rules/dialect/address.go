package dialect

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"autodiscover-guard/rules/reserved"
)

// Subject is somebody whom an exchange is about.
type Subject struct {
	// Domain is the mail domain, normalised by [reserved.Canonical]; never empty.
	Domain string
	// Address is the whole address where one was given, as given. It is personal data: it belongs into answers, not into logs.
	Address string
	// Carrier says where the subject stood: host, query:email, header:Authorization, body …
	Carrier string
}

// LocalPart is what stands in front of the address's last @, quotes included; empty where no address was given. It is personal data, as the address is.
func (s Subject) LocalPart() string { return s.Address[:max(0, strings.LastIndexByte(s.Address, '@'))] }

// addressPrefixes are the proxy-address types that Microsoft's clients put before an address (MS-OXOABK 2.2.3.23), and what X-AnchorMailbox has of its own (Exchange Online's
// administration API; Outlook on the web).
var addressPrefixes = [...]string{"mailto:", "smtp:", "upn:", "mbx:", "sip:", "aad-upn:", "aad-smtp:", "oid:", "puid:"}

// addresses reads one or several mail addresses, separated by commas or semicolons outside quotes, in any of the spellings in which
// carriers hold them: percent-encoded once more, with prefix, in angle brackets, with a quoted local part.
func addresses(value, carrier string) []Subject {
	if !strings.Contains(value, "@") && !strings.Contains(value, "%40") && !strings.Contains(value, "%2540") {
		return nil
	}
	var found []Subject
	for _, part := range splitOutsideQuotes(decodeLeftover(value)) {
		part = trimAddress(part)
		at := lastAt(part)
		if at < 0 {
			continue
		}
		if domain := domainOf(part[at+1:]); domain != "" {
			found = append(found, Subject{Domain: domain, Address: part, Carrier: carrier})
		}
	}
	return found
}

// decodeLeftover undoes up to two more levels of percent-encoding where an address still carries it (user%40example.com).
func decodeLeftover(s string) string {
	for range 2 {
		if !strings.Contains(s, "%40") && !strings.Contains(s, "%2540") {
			return s
		}
		decoded, err := url.PathUnescape(s)
		if err != nil {
			return strings.ReplaceAll(s, "%40", "@")
		}
		s = decoded
	}
	return s
}

func splitOutsideQuotes(s string) []string {
	if !strings.ContainsAny(s, ",;") {
		return []string{s}
	}
	var q quotes
	return strings.FieldsFunc(s, func(r rune) bool {
		return !q.inside(r) && (r == ',' || r == ';')
	})
}

func trimAddress(s string) string {
	s = strings.TrimFunc(s, aroundAddress)
	for _, prefix := range addressPrefixes {
		if len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
			s = s[len(prefix):]
		}
	}
	s = s[strings.LastIndexByte(s, '<')+1:] // Name <user@domain>
	return strings.TrimFunc(s, aroundAddress)
}

// aroundAddress reports whether a character that an address begins or ends with is no part of it. Copied ones bring invisible characters with them, those of
// directory (U+202A, U+202C) for instance, which clients send on.
func aroundAddress(r rune) bool {
	return r <= ' ' || r == '<' || r == '>' || r == '\'' || r >= utf8.RuneSelf && (unicode.IsSpace(r) || unicode.Is(unicode.Cf, r))
}

// quotes follow a text through its quoted strings (RFC 5322, section 3.2.4), in which a backslash takes the meaning from what follows: "a\"b@c"@example.com.
type quotes struct{ open, escaped bool }

// inside reports whether the next character is part of a quoted string.
func (q *quotes) inside(r rune) bool {
	switch {
	case q.escaped:
		q.escaped = false
	case q.open && r == '\\':
		q.escaped = true
	case r == '"':
		q.open = !q.open
	}
	return q.open
}

// lastAt is the index of the last @ outside a quoted string, "a@b"@example.com, or of the last one where there is none, or -1.
func lastAt(s string) int {
	var q quotes
	at := -1
	for i := range len(s) {
		if !q.inside(rune(s[i])) && s[i] == '@' {
			at = i
		}
	}
	if at < 0 { // quotes around all of it, or one that is open, must not hide the domain
		return strings.LastIndexByte(s, '@')
	}
	return at
}

// domainOf normalises what stands behind the @ and drops what cannot belong to a domain (RFC 5321, section 4.1.2).
func domainOf(s string) string {
	if strings.HasPrefix(s, "[") { // address literal: user@[192.0.2.1], user@[IPv6:2001:db8::1]
		literal, _, _ := strings.Cut(s[1:], "]")
		return reserved.Canonical(literal)
	}
	s = strings.TrimLeft(s, " \t\r\n+") // typed, or where a line was folded; in a form a plus sign is a space
	if end := strings.IndexAny(s, "?>\"'<()[]{}|\\/ \t\r\n,;:&=#*!$^`~+"); end >= 0 {
		s = s[:end]
	}
	return reserved.Canonical(s)
}
