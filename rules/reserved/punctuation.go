package reserved

import (
	"strings"
	"unicode"
)

// PlainPunctuation gives a name with ASCII hyphens, and without the quotation marks that word processors and wikis write and the invisible marks that come with
// what is copied from a dialog of Windows (U+200E, U+202A). changed reports whether it had any. No registry takes them (RFC 5892, section 2: a name holds
// letters, digits and marks), so a rule for “corp.example.net” would be for nobody.
func PlainPunctuation(name string) (plain string, changed bool) {
	plain = strings.Map(func(r rune) rune {
		switch {
		case r < 0x80 || !unicode.In(r, unicode.Pd, unicode.Pi, unicode.Pf, unicode.Ps, unicode.Pe, unicode.Cf):
			return r
		case !strings.HasPrefix(Canonical(string(r)), "xn--"): // the wide hyphen of East Asian keyboards, which is a hyphen; what IDNA drops
			return r
		case unicode.Is(unicode.Pd, r):
			return '-'
		default:
			return -1
		}
	}, name)
	return plain, plain != name
}

// Disallowed gives the first character of a name that IDNA allows in none, or 0. Most are seen at once; fillers of Korean letters (U+3164), say, look like a blank,
// or like nothing. What Unicode had no character for when the tables of IDNA were made may be a letter by now.
func Disallowed(name string) rune {
	for _, r := range name {
		if r < 0x80 || dotSize(r) > 0 || unicode.Is(unicode.Cn, r) {
			continue
		}
		if _, err := lenient.ToASCII(string(r)); err != nil {
			return r
		}
	}
	return 0
}
