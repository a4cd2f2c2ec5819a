package rules

import (
	"encoding/base64"
	"html"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// The independent check: a reader that knows no dialect. It takes the text that is about to be sent, undoes every encoding that it could
// hide behind, and looks for anything that reads like a host. It shares nothing with the dialects' readers but the normal form of names,
// so that a mistake there does not repeat itself here. It errs towards finding too much: then the answer is refused.

const (
	// leakDepth is how many encodings may lie inside each other: entities around percent-encoding around base64.
	leakDepth = 3
	// leakBudget bounds the text that one check looks at, all layers together.
	leakBudget = 8 << 20
	// shortestCoded is the length of the shortest base64 run worth decoding: "a.bc" has eight characters with padding.
	shortestCoded = 8
)

// nameSpaces are hosts that stand in XML namespaces and in the DOCTYPE of property lists: names that nobody contacts.
var nameSpaces = [...]string{"schemas.microsoft.com", "www.w3.org", "schemas.xmlsoap.org", "www.apple.com"}

// leaks reports whether an answer names a host outside the sets, or one that was taken out of it.
func (j *judgement) leaks(a dialect.Answer) bool {
	l := leakCheck{budget: leakBudget}
	kept := make(map[string]bool) // by another subject of the same answer
	l.allows = func(host string) bool { return j.allows(host) || kept[host] || j.isOwnName(host) }
	for _, s := range j.decision.Suggestions {
		if s.Subject != "" && s.Verdict == dialect.Keep {
			kept[s.Host] = true
		}
	}
	for _, s := range j.decision.Suggestions {
		// A name without a dot is a word like any other ("imap"), and words are everywhere.
		if s.Verdict != dialect.Keep && hasDot(s.Host) && !l.allows(s.Host) {
			l.banned = append(l.banned, s.Host)
		}
	}
	for _, values := range a.Header {
		for _, v := range values {
			if l.text(v, 0) {
				return true
			}
		}
	}
	return l.text(string(a.Body), 0)
}

// isOwnName reports whether host is the mail domain of an operator's rule, which answers repeat in words and addresses whether it may be named
// as a server or not. Where it was suggested as a server and taken out, it must not be left anywhere.
func (j *judgement) isOwnName(host string) bool {
	for _, s := range j.decision.Suggestions {
		if s.Verdict != dialect.Keep && s.Host == host {
			return false
		}
	}
	for _, b := range j.bindings {
		if b.operator != nil && b.domain == host {
			return true
		}
	}
	return false
}

type leakCheck struct {
	allows func(host string) bool
	banned []string // hosts that were taken out: not even as part of other text
	budget int
}

// text reports whether s, in any decoded form, names a host that is not allowed. Text beyond the budget counts as if it did.
func (l *leakCheck) text(s string, depth int) bool {
	if l.budget -= len(s); l.budget < 0 {
		return true
	}
	folded := strings.ToLower(s)
	for _, host := range l.banned {
		if strings.Contains(folded, host) {
			return true
		}
	}
	words := folded
	if depth < leakDepth { // the next layer sees what they stand for; here user%40lab.test would read as 40lab.test
		words = blankEscapes(folded)
	}
	if l.authorities(folded) || l.words(words) {
		return true
	}
	if depth == leakDepth {
		return false
	}
	for _, inner := range layers(s) {
		if l.text(inner, depth+1) {
			return true
		}
	}
	return false
}

// authorities looks at what stands behind every "//".
func (l *leakCheck) authorities(s string) bool {
	for {
		i := strings.Index(s, "//")
		if i < 0 {
			return false
		}
		s = strings.TrimLeft(s[i+2:], "/")
		end := strings.IndexAny(s, "/\\?#\"'<>&;, \t\r\n)]}|`")
		authority := s
		if end >= 0 {
			authority = s[:end]
		}
		if authority = authority[strings.LastIndexByte(authority, '@')+1:]; authority != "" && l.isStranger(authority) {
			return true
		}
	}
}

// words looks at everything between delimiters that reads like a host name or an address.
func (l *leakCheck) words(s string) bool {
	for word := range strings.FieldsFuncSeq(s, delimits) {
		if word = strings.Trim(word, ".:-"); hasDot(word) && l.reads(word) && l.isStranger(word) {
			return true
		}
	}
	return false
}

// delimits reports whether r ends a word. Dots, hyphens, colons (ports) and everything beyond ASCII (IDN) belong to names.
func delimits(r rune) bool {
	return r <= ' ' || strings.ContainsRune("\"'<>()[]{}|\\/,;=&?#!*$^`~@%+", r)
}

// reads reports whether a word with a dot reads like a host name: its last label is a real top-level domain or a reserved one, or it is an
// address.
func (l *leakCheck) reads(word string) bool {
	host := reserved.Canonical(word)
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if _, icann := publicsuffix.PublicSuffix(host); icann {
		return true
	}
	_, ok := reserved.Default().Match(host)
	return ok
}

// hasDot reports whether s has a dot in any of the forms that UTS 46 takes for one.
func hasDot(s string) bool { return strings.ContainsAny(s, ".。．｡") }

func (l *leakCheck) isStranger(authority string) bool {
	host := reserved.Canonical(authority)
	for _, name := range nameSpaces {
		if host == name {
			return false
		}
	}
	return !l.allows(host)
}

// layers undoes, each for itself, the encodings that text can be in: character references, JSON escapes, percent-encoding, base64.
func layers(s string) []string {
	var all []string
	if strings.IndexByte(s, '&') >= 0 {
		all = appendChanged(all, s, html.UnescapeString(s))
	}
	if strings.IndexByte(s, '\\') >= 0 {
		all = appendChanged(all, s, unescapeJSON(s))
	}
	if strings.IndexByte(s, '%') >= 0 {
		all = appendChanged(all, s, unescapePercent(s))
	}
	for run := range strings.FieldsFuncSeq(s, func(r rune) bool { return !base64Letter(r) }) {
		if decoded, ok := unescapeBase64(run); ok {
			all = append(all, decoded)
		}
	}
	return all
}

func appendChanged(all []string, before, after string) []string {
	if before == after {
		return all
	}
	return append(all, after)
}

func base64Letter(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '+' || r == '/' || r == '-' || r == '_'
}

// unescapeBase64 decodes a run of base64 letters where the result is text with a dot in it: everything else is a word.
func unescapeBase64(run string) (string, bool) {
	if len(run) < shortestCoded {
		return "", false
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(run, "-_") {
		encoding = base64.RawURLEncoding
	}
	if len(run)%4 == 1 { // no encoding has that length; the last letter belongs to something else
		run = run[:len(run)-1]
	}
	decoded, err := encoding.DecodeString(run)
	if err != nil || !utf8.Valid(decoded) || !hasDot(string(decoded)) {
		return "", false
	}
	for _, c := range decoded {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return "", false
		}
	}
	return string(decoded), true
}

// blankEscapes puts a space in the place of every valid percent escape.
func blankEscapes(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			out.WriteByte(' ')
			i += 2
			continue
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// unescapePercent decodes valid escapes and keeps the rest, as lenient readers do.
func unescapePercent(s string) string {
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if decoded, err := url.PathUnescape(s[i : i+3]); err == nil {
				out.WriteString(decoded)
				i += 2
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// unescapeJSON undoes the escapes of JSON strings (RFC 8259, section 7) anywhere in a text.
func unescapeJSON(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		i++
		if s[i] == 'u' && i+4 < len(s) {
			if r, err := strconv.ParseUint(s[i+1:i+5], 16, 16); err == nil {
				out.WriteRune(rune(r))
				i += 4
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}
