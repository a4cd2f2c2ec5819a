package rules

import (
	"slices"
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
	// leakShare is how many banned hosts cost as much as a look at the text itself.
	leakShare = 64
	// leakMemory bounds the words that are remembered, so that a hostile text costs time and not memory.
	leakMemory = 512
	// shortestCoded is the length of the shortest base64 run worth decoding: that of "t.co" without padding, which is none of the letters.
	shortestCoded = 6
)

// nameSpaces are hosts that stand in XML namespaces and in the DOCTYPE of property lists: names that nobody contacts.
var nameSpaces = [...]string{"schemas.microsoft.com", "www.w3.org", "schemas.xmlsoap.org", "www.apple.com"}

// leaks reports whether an answer names a host outside the sets, or one that was taken out of it.
func (j *judgement) leaks(a dialect.Answer) bool {
	l := leakCheck{budget: leakBudget, emailDomain: j.plan.Inquiry.EmailDomain(), authority: map[string]struct{}{}, word: map[string]struct{}{}}
	kept := make(map[string]bool) // by another subject of the same answer
	l.allows = func(host string) bool { return j.allows(host) || kept[host] }
	l.ownName = j.isOwnName
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
	slices.Sort(l.banned)
	l.banned = slices.Compact(l.banned)
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
	// ownName says of a host that it is the subject's mail domain, which may stand in words, but not behind "//".
	ownName func(host string) bool
	banned  []string // hosts that were taken out: not even as part of other text
	budget  int
	// authority and word remember what is no stranger where it stands behind "//" and between delimiters: answers say the same hosts again
	// and again. A stranger ends the check.
	authority, word map[string]struct{}
	coded, decoded  []byte // of the base64 run at hand
	// emailDomain is what the client puts in the place of emailDomainVariable: https://dav.%EMAILDOMAIN%/ is a host of that domain.
	emailDomain string
}

// emailDomainVariable is in lower case, as everything is that is looked at.
const emailDomainVariable = "%emaildomain%"

// text reports whether s, in any decoded form, names a host that is not allowed. Text beyond the budget counts as if it did.
func (l *leakCheck) text(s string, depth int) bool {
	if l.budget -= len(s) * (1 + len(l.banned)/leakShare); l.budget < 0 {
		return true
	}
	folded := toLower(s)
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
	for _, inner := range l.layers(s) {
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
		end := 0
		for end < len(s) && !endsAuthority[s[end]] {
			end++
		}
		authority := s[:end]
		if l.emailDomain != "" {
			authority = strings.ReplaceAll(authority, emailDomainVariable, l.emailDomain)
		}
		if authority = authority[strings.LastIndexByte(authority, '@')+1:]; authority == "" || remembers(l.authority, authority) {
			continue
		}
		if l.isStranger(authority) {
			return true
		}
		remember(l.authority, authority)
	}
}

// endsAuthority holds the bytes that end what stands behind "//".
var endsAuthority = bytesOf("/\\?#\"'<>&;, \t\r\n)]}|`")

// bytesOf makes a table of the bytes of an ASCII text.
func bytesOf(ascii string) (table [256]bool) {
	for i := range len(ascii) {
		table[ascii[i]] = true
	}
	return table
}

func remembers(known map[string]struct{}, s string) bool {
	_, ok := known[s]
	return ok
}

func remember(known map[string]struct{}, s string) {
	if len(known) < leakMemory {
		known[s] = struct{}{}
	}
}

// words looks at everything between delimiters that reads like a host name or an address.
func (l *leakCheck) words(s string) bool {
	ascii := isASCII(s)
	for {
		dot := 0
		if ascii {
			dot = strings.IndexByte(s, '.')
		} else {
			dot = strings.IndexAny(s, dots)
		}
		if dot < 0 {
			return false
		}
		start, end := dot, dot
		for start > 0 && !delimits[s[start-1]] {
			start--
		}
		for end < len(s) && !delimits[s[end]] {
			end++
		}
		word := strings.Trim(s[start:end], ".:-")
		s = s[end:]
		if !hasDot(word) || remembers(l.word, word) {
			continue
		}
		if l.isStranger(word) && !l.ownName(reserved.Canonical(word)) && l.reads(word) {
			return true
		}
		remember(l.word, word)
	}
}

// delimits holds the bytes that end a word. Dots, hyphens, colons (ports) and everything beyond ASCII (IDN) belong to names.
var delimits = func() [256]bool {
	table := bytesOf("\"'<>()[]{}|\\/,;=&?#!*$^`~@%+")
	for c := range ' ' + 1 {
		table[c] = true
	}
	return table
}()

// reads reports whether a word with a dot reads like a host name: its last label is a real top-level domain or a reserved one, or it is an
// address.
func (l *leakCheck) reads(word string) bool {
	host := reserved.Canonical(word)
	if isAddress(host) {
		return true
	}
	if _, icann := publicsuffix.PublicSuffix(host); icann {
		return true
	}
	_, ok := reserved.Default().Match(host)
	return ok
}

// hasDot reports whether s has a dot in any of the forms that UTS 46 takes for one.
func hasDot(s string) bool {
	for i := range len(s) {
		switch {
		case s[i] == '.':
			return true
		case s[i] >= utf8.RuneSelf:
			return strings.ContainsAny(s[i:], dots)
		}
	}
	return false
}

// dots are what UTS 46 takes for a dot.
const dots = ".。．｡"

// toLower is strings.ToLower, which takes thrice the time for a text that has capitals everywhere.
func toLower(s string) string {
	if !isASCII(s) {
		return strings.ToLower(s)
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 'A' && r <= 'Z' }) {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for piece := [256]byte{}; s != ""; {
		n := copy(piece[:], s)
		for i, c := range piece[:n] {
			if c >= 'A' && c <= 'Z' {
				piece[i] = c + 'a' - 'A'
			}
		}
		out.Write(piece[:n])
		s = s[n:]
	}
	return out.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (l *leakCheck) isStranger(authority string) bool {
	host := reserved.Canonical(authority)
	for _, name := range nameSpaces {
		if host == name {
			return false
		}
	}
	return !l.allows(host)
}
