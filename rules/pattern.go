package rules

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"unicode"

	"golang.org/x/net/publicsuffix"

	"autodiscover-guard/rules/reserved"
)

// Pattern is one host name, everything below one, or a range of addresses. The zero Pattern matches nothing.
type Pattern struct {
	base   string
	below  bool // everything below base, and not base itself
	prefix netip.Prefix
}

// PatternError says why a text is no pattern, and what to write instead.
type PatternError struct {
	Text, Problem, Want string
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("%q %s; want %s", e.Text, e.Problem, e.Want)
}

// ParsePattern reads a pattern of hosts. The grammar is strict, because a pattern that means more than its author thought sends passwords
// to strangers:
//
//	mail.example.net      that name alone
//	*.example.net         everything below it, at any depth, and not example.net itself
//	192.0.2.7, 2001:db8::7, 10.0.0.0/8   addresses
//
// Names are compared in lower case, in ASCII; Unicode labels (müller.example) are accepted and normalised as UTS 46 says. Not accepted: a
// star anywhere else, a scheme, a port, a path, a label that mixes scripts, numbers that are no address, and public suffixes (com, co.uk, *.github.io), below which
// anybody can have a name. Errors are a *[PatternError].
func ParsePattern(text string) (Pattern, error) {
	if p, ok, err := addressPattern(text); ok || err != nil {
		return p, err
	}
	return namePattern(text, "*.mail.example.net, mail.example.net, or an address such as 192.0.2.7 or 10.0.0.0/8")
}

// ParseDomain reads a pattern of mail domains: the same grammar without addresses.
func ParseDomain(text string) (Pattern, error) {
	const want = "a mail domain such as corp.example.net, or *.corp.example.net for all below it"
	if _, ok, err := addressPattern(text); ok || err != nil {
		return Pattern{}, &PatternError{text, "is an address, and no mail domain", want}
	}
	if _, domain, ok := strings.Cut(text, "@"); ok && domain != "" {
		return Pattern{}, &PatternError{text, "is a mail address: a rule is for a whole domain", quote(domain)}
	}
	return namePattern(text, want)
}

func addressPattern(text string) (p Pattern, ok bool, err error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if addr, ok := reserved.ParseAddr(bare); ok && addr.Zone() == "" {
		addr = addr.Unmap()
		return Pattern{prefix: netip.PrefixFrom(addr, addr.BitLen())}, true, nil
	}
	host, _, slash := strings.Cut(text, "/")
	if !slash || !reserved.IsAddress(host) {
		return Pattern{}, false, nil
	}
	prefix, err := netip.ParsePrefix(text)
	if a := prefix.Addr(); err == nil && a.Is4In6() && prefix.Bits() >= 96 && prefix == prefix.Masked() { // addresses are compared as IPv4
		prefix = netip.PrefixFrom(a.Unmap(), prefix.Bits()-96)
	}
	meant, mapped := reserved.MappedRange(prefix)
	const mappedRange = "is a range of IPv4 in the spelling of IPv6, with a length of less than 96"
	switch {
	case err != nil:
		return Pattern{}, false, &PatternError{text, "is not an address range", "one such as 10.0.0.0/8 or 2001:db8::/32"}
	case prefix.Bits() == 0:
		return Pattern{}, false, &PatternError{text, "is every address there is", "the range that the servers are in"}
	case mapped && meant.IsValid():
		return Pattern{}, false, &PatternError{text, mappedRange, quote(meant.String())}
	case mapped:
		return Pattern{}, false, &PatternError{text, mappedRange, "one such as 10.0.0.0/8"}
	case prefix != prefix.Masked():
		return Pattern{}, false, &PatternError{text, "has bits set behind its length", quote(prefix.Masked().String())}
	}
	return Pattern{prefix: prefix}, true, nil
}

// namePattern reads a name or *.name.
func namePattern(text, want string) (Pattern, error) {
	wrong := func(problem, instead string) error { return &PatternError{text, problem, cmp.Or(instead, want)} }
	// mended suggests another spelling, unless that would be refused, too.
	mended := func(problem, spelling, more string) error {
		if _, err := namePattern(spelling, want); err != nil && !reserved.IsAddress(spelling) {
			return wrong(problem, "")
		}
		return wrong(problem, quote(spelling)+more)
	}
	const everything = " for everything below the name"
	rest, below := strings.CutPrefix(text, "*.")
	if trimmed := strings.TrimSpace(text); trimmed != text && trimmed != "" {
		return Pattern{}, mended("has a blank around it", trimmed, "")
	}
	if plain, changed := reserved.PlainPunctuation(text); changed {
		return Pattern{}, mended("has quotation marks, hyphens or invisible marks of a word processor in it", plain, "")
	}
	if scheme, after, ok := strings.Cut(text, "://"); ok && scheme != "" {
		host, _, _ := strings.Cut(after, "/")
		host, _, _ = strings.Cut(host[strings.LastIndexByte(host, '@')+1:], ":")
		return Pattern{}, mended("is a URL", host, "")
	}
	if host, port, ok := strings.Cut(text, ":"); ok && !strings.ContainsAny(port, ":/") {
		return Pattern{}, mended("has a port, and a rule is about hosts", host, "")
	}
	switch {
	case text == "":
		return Pattern{}, wrong("is empty", "")
	case text == "*" || text == "*.":
		return Pattern{}, wrong("is every host there is", want+"; to let everything through and record it, use mode: monitor")
	case strings.ContainsAny(text, " \t\r\n,"):
		return Pattern{}, wrong("is more than one word", "a list with an entry for each")
	case strings.HasPrefix(text, "."):
		return Pattern{}, mended("begins with a dot", "*"+text, "")
	case strings.ContainsAny(text, "/@?#%[]\\"):
		return Pattern{}, wrong("is not a host name", "")
	case strings.HasPrefix(text, "*") && !below:
		return Pattern{}, mended("has a star that is not a whole label", "*."+strings.TrimLeft(text, "*."), everything)
	case strings.Contains(rest, "*"):
		return Pattern{}, mended("has a star that is not the first label", "*."+strings.TrimLeft(rest[strings.LastIndexByte(rest, '*')+1:], "."), everything)
	}
	if r := reserved.Disallowed(rest); r != 0 {
		return Pattern{}, wrong(fmt.Sprintf("has %U in it, which IDNA allows in no name", r), "")
	}
	if label := mixedLabel(rest); label != "" {
		return Pattern{}, wrong("mixes scripts in "+quote(label)+", as look-alikes do", "a label in one script")
	}
	base := reserved.Canonical(rest)
	if !nameLike(base) {
		return Pattern{}, wrong("is not a host name", "")
	}
	if strings.Contains(base, ".") && strings.Trim(base, ".-0123456789") == "" { // it would be compared as a name, which no server has (RFC 3696, section 2)
		return Pattern{}, wrong("is numbers, and no address", "")
	}
	if suffix, listed := publicSuffix(base); listed && suffix == base {
		return Pattern{}, wrong("is a public suffix: anybody can have a name below it", "the name below it that is meant, such as "+quote("mail.example."+suffix))
	}
	return Pattern{base: base, below: below}, nil
}

// publicSuffix also says whether the suffix is listed (publicsuffix.PublicSuffix gives the last label for everything else).
func publicSuffix(name string) (suffix string, listed bool) {
	suffix, icann := publicsuffix.PublicSuffix(name)
	return suffix, icann || strings.Contains(suffix, ".")
}

// nameLike reports whether a canonical name consists of labels of letters, digits, hyphens and underscores (RFC 1123, section 2.1; the
// underscore is no host's but occurs).
func nameLike(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if ('a' > c || c > 'z') && ('0' > c || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// scripts are those that look alike or are common in mail domains; letters of any other are not looked at.
var scripts = [...]*unicode.RangeTable{
	unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Hebrew, unicode.Arabic, unicode.Devanagari, unicode.Thai,
	unicode.Georgian, unicode.Cherokee,
}

// mixedLabel gives the first label that has letters of two scripts. The East Asian scripts are written together and with Latin (UTS 39,
// section 5.2, "highly restrictive").
func mixedLabel(name string) string {
	for label := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '.' || r == '。' || r == '．' || r == '｡' }) {
		var seen *unicode.RangeTable
		for _, r := range label {
			for _, script := range scripts {
				if !unicode.Is(script, r) {
					continue
				}
				if seen != nil && seen != script {
					return label
				}
				seen = script
			}
		}
	}
	return ""
}

// Matches reports whether a canonical host is meant.
func (p Pattern) Matches(host string) bool {
	if p.prefix.IsValid() {
		a, ok := reserved.ParseAddr(host)
		return ok && p.prefix.Contains(a.Unmap().WithZone(""))
	}
	if p.base == "" || host == "" {
		return false
	}
	if p.below {
		return host != p.base && reserved.Below(host, p.base)
	}
	return host == p.base
}

// String writes the pattern in its canonical spelling.
func (p Pattern) String() string {
	switch {
	case p.prefix.IsValid() && p.prefix.IsSingleIP():
		return p.prefix.Addr().String()
	case p.prefix.IsValid():
		return p.prefix.String()
	case p.below:
		return "*." + p.base
	}
	return p.base
}

func quote(s string) string { return fmt.Sprintf("%q", s) }
