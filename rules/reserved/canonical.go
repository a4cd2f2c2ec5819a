package reserved

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// maxMapped is the longest name that IDNA is applied to. A DNS name has 253 bytes; percent-encoded UTF-8 of one can reach about 800.
const maxMapped = 1024

// maxRounds bounds the search for the fixed point. A round can bring an escape to light only where IDNA drops or changes a character in
// the middle of it, and such a character takes two escapes to hide, so that maxMapped bytes hold no more than ten levels.
const maxRounds = 16

// Canonical gives the spelling of name in which names are compared. Percent escapes are decoded (until none is left), spaces around it,
// brackets, a port and trailing dots dropped, all labels mapped by UTS #46 and made A-labels, letters made small. An address literal,
// with or without brackets, port, zone or the tag of RFC 5321, section 4.1.3 ("IPv6:"), comes back as [netip.Addr] writes it; an IPv4
// address that is mapped into IPv6 comes back as IPv4.
//
// It is idempotent and never fails. A label that IDNA refuses is mapped leniently, as IDNA 2003 would do it, because then it is the
// reading in which it may be reserved that matters. What needs IDNA and has more than 1024 bytes is not mapped. Nothing here means that
// the result is a valid host name. A name that is canonical already is returned as it is, without an allocation.
func Canonical(name string) string {
	if simple(name) {
		return lowerASCII(strings.TrimRight(name, "."))
	}
	for range maxRounds {
		next := normalise(name)
		if next == name {
			break
		}
		name = next
	}
	return name
}

// Below reports whether host is name or lies below it, by whole labels. Both are canonical.
func Below(host, name string) bool {
	at := len(host) - len(name)
	return at >= 0 && (at == 0 || host[at-1] == '.') && host[at:] == name // in this order: most hosts have no dot there
}

type class uint8

const (
	plain class = iota
	upper
	odd // needs more than a look at its case
)

// classes tells what a byte means for the fast paths.
var classes = func() (t [256]class) {
	for i := range t {
		switch c := byte(i); {
		case 'A' <= c && c <= 'Z':
			t[i] = upper
		case c <= ' ' || c >= 0x7f, strings.IndexByte("%:[]", c) >= 0:
			t[i] = odd
		}
	}
	return t
}()

// simple reports whether there is nothing to do in name but letters to make small and dots to drop.
func simple(name string) bool {
	for i := range len(name) {
		if classes[name[i]] == odd {
			return false
		}
	}
	return true
}

// normalise is one round of Canonical: each step may bring to light what an earlier one has to take away.
func normalise(s string) string {
	s, isAddr := unwrap(s)
	if isAddr {
		return s
	}
	s = decode(s)
	if isASCII(s) || len(s) > maxMapped {
		return lowerASCII(s)
	}
	return mapLabels(s)
}

// unwrap takes off, in any order and number, what may surround a name in a URL, a Host header, or a mail address. It reports whether an
// address literal was inside.
func unwrap(s string) (string, bool) {
	for {
		inside := strings.TrimRight(strings.TrimLeft(s, " \t\r\n["), " \t\r\n].")
		if a, ok := literal(inside); ok {
			return addrText(a, inside), true
		}
		if colon := strings.LastIndexByte(inside, ':'); colon >= 0 && isDigits(inside[colon+1:]) {
			inside = inside[:colon]
		}
		if inside == s {
			return s, false
		}
		s = inside
	}
}

// literal reads an address without its brackets. Zones are dropped: they mean nothing on another machine.
func literal(s string) (netip.Addr, bool) {
	const tag, longest = "ipv6:", 128
	if s == "" || len(s) > longest {
		return netip.Addr{}, false
	}
	six := false
	if len(s) > len(tag) && strings.EqualFold(s[:len(tag)], tag) {
		s, six = s[len(tag):], true
	}
	if host, _, zone := strings.Cut(s, "%"); zone {
		s, six = host, true
	}
	a, ok := ParseAddr(s)
	if !ok || six && !a.Is6() {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// addrText is a's text, without an allocation if s is that already.
func addrText(a netip.Addr, s string) string {
	var buf [64]byte
	if text := a.AppendTo(buf[:0]); string(text) != s {
		return string(text)
	}
	return s
}

// decode resolves %XX and full width ASCII, which can hide one another (%2541, ％41, %EF%BC%8541). It goes from the right, so that what it
// makes is looked at again and one linear pass leaves nothing to resolve. Full width must come before IDNA: in an A-label it is too late
// to decode what looked like a percent sign.
func decode(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, fullWidthLead) < 0 {
		return s
	}
	buf, at := make([]byte, len(s)), len(s)
	for i := len(s) - 1; i >= 0; i-- {
		at--
		buf[at] = s[i]
		for at+2 < len(buf) {
			c, ok := decodeThree(buf[at : at+3])
			if !ok {
				break
			}
			at += 2
			buf[at] = c
		}
	}
	return string(buf[at:])
}

const fullWidthLead = 0xef // first byte of U+F000 to U+FFFF in UTF-8

// decodeThree reads an escape, or one of U+FF01 to U+FF5E, which stand for ! to ~ (and U+FE6A for %), from three bytes.
func decodeThree(b []byte) (byte, bool) {
	switch {
	case b[0] == '%':
		high, ok1 := unhex(b[1])
		low, ok2 := unhex(b[2])
		return high<<4 | low, ok1 && ok2
	case b[0] != fullWidthLead:
		return 0, false
	case b[1] == 0xbc && 0x81 <= b[2] && b[2] <= 0xbf:
		return b[2] - 0x81 + '!', true
	case b[1] == 0xbd && 0x80 <= b[2] && b[2] <= 0x9e:
		return b[2] - 0x80 + '`', true
	case b[1] == 0xb9 && b[2] == 0xaa:
		return '%', true
	}
	return 0, false
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// The profiles differ from idna.Lookup in that underscores are allowed and the Bidi rule is not applied. The lenient one checks nothing
// more than the mapping itself, and drops joiners.
var (
	lookup  = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))
	lenient = idna.New(idna.MapForLookup(), idna.Transitional(true), idna.StrictDomainName(false),
		idna.ValidateLabels(false), idna.CheckHyphens(false), idna.CheckJoiners(false))
)

// mapLabels maps label by label, because an ASCII label must stay what it is next to any neighbour: resolvers send it as it stands, and
// the strange ones (xn-- with nothing to decode) would come back as other names (x/net v0.62.0, idna.go: process sets the decoded label
// before it finds the error).
func mapLabels(s string) string {
	out := make([]byte, 0, 2*len(s))
	start := 0
	for i, r := range s {
		if size := dotSize(r); size > 0 {
			out = append(appendLabel(out, s[start:i]), '.')
			start = i + size
		}
	}
	return string(appendLabel(out, s[start:]))
}

// dotSize is how many bytes r has if it separates labels: the four of RFC 3490, section 3.1, and the two that NFKC, and so IDNA 2003,
// makes a full stop of although UTS #46 does not.
func dotSize(r rune) int {
	switch r {
	case '.':
		return 1
	case '\u3002', '\uff0e', '\uff61', '\u2024', '\ufe52':
		return 3
	}
	return 0
}

func appendLabel(out []byte, label string) []byte {
	if isASCII(label) {
		return append(out, lowerASCII(label)...)
	}
	mapped, err := lookup.ToASCII(label)
	if err != nil {
		mapped, _ = lenient.ToASCII(label)
	}
	return append(out, strings.ToLower(mapped)...)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// lowerASCII leaves everything but A to Z alone, invalid UTF-8 included, which strings.ToLower would replace.
func lowerASCII(s string) string {
	for i := range len(s) {
		if classes[s[i]] == upper {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if classes[b[j]] == upper {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
