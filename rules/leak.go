package rules

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

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
	// leakScratch is how much room is kept from one check for the next.
	leakScratch = 32 << 10
	// shortestCoded is the length of the shortest base64 run worth decoding: that of "t.co" without padding, which is none of the letters.
	shortestCoded = 6
)

// nameSpaces are hosts that stand in XML namespaces and in the DOCTYPE of property lists: names that nobody contacts.
var nameSpaces = [...]string{"schemas.microsoft.com", "www.w3.org", "schemas.xmlsoap.org", "docs.oasis-open.org", "www.apple.com"}

// leaksUnedited reports whether upstream's own body, sent with these fields, names a host outside the sets. It is looked at as the client reads it; one that nobody
// can read may name anybody.
func (j *judgement) leaksUnedited(h dialect.Header) bool {
	return len(j.answer.Body) > 0 && j.doc.Body == nil || j.leaks(h, j.doc.Body)
}

// leaks reports whether an answer with these fields and this text names a host outside the sets, or one that was taken out of it.
func (j *judgement) leaks(h dialect.Header, body []byte) bool {
	l := j.lastLook()
	defer l.free()
	for name, values := range h {
		if hasDot(name) && l.leaksField(name) || slices.ContainsFunc(values, func(v string) bool { return !isSoftware(name, v) && l.leaksField(v) }) {
			return true
		}
	}
	if j.doc.Sealed {
		body = nil
	}
	body = j.withoutConfigDomain(j.withoutIdentifiers(dialect.WithoutIdentifierURIs(j.plan.Inquiry.Dialect, body)))
	return l.leaksText(body, 0) || l.leaksText(j.withoutIdentifiers(j.doc.Inside), 0)
}

// lastLook is a check that knows what was taken out so far.
func (j *judgement) lastLook() *leakCheck {
	l := newLeakCheck(j)
	j.removed, j.keptByOthers = nil, nil
	for _, s := range j.decision.Suggestions {
		switch {
		case s.Verdict != dialect.Keep:
			j.removed.add(s.Host)
		case s.Subject != "":
			j.keptByOthers.add(s.Host)
		}
	}
	for host := range j.removed {
		// A name without a dot ("imap") is a word like any other and may stand anywhere.
		if hasDot(host) && !j.allowsAnywhere(host) {
			l.banned = append(l.banned, host)
		}
	}
	return l
}

// leaksField is leaksText for the value of a header field.
func (l *leakCheck) leaksField(v string) bool {
	l.field = append(l.field[:0], v...)
	return l.leaksText(l.field, 0)
}

// allowsAnywhere reports whether a host may stand anywhere in the answer: what another subject of it keeps may, too.
func (j *judgement) allowsAnywhere(host string) bool {
	return j.allows(host) || j.keptByOthers.has(host)
}

// isOwnName reports whether host is the mail domain of an operator's rule, which answers repeat in words and addresses whether it may be named
// as a server or not, or what the asked mailbox is called, or the directory by whose name the client logs in. Where it was suggested as a server and taken out, it must not be left anywhere.
func (j *judgement) isOwnName(host string) bool {
	if j.removed.has(host) {
		return false
	}
	return j.isAccountDomain(host) || j.isAskedMailbox(host) || j.isDirectory(host)
}

// holdsRemoved reports whether a display name holds a host that was taken out. Where many were, it says so without looking.
func (j *judgement) holdsRemoved(name []byte) bool {
	name = bytes.ToLower(name)
	for host := range j.removed {
		if hasDot(host) && bytes.Contains(name, []byte(host)) {
			return true
		}
	}
	return len(j.removed) > leakShare
}

// hostSet says of a host whether it is among many. The zero set is empty.
type hostSet map[string]struct{}

func (s *hostSet) add(host string) {
	if *s == nil {
		*s = make(hostSet)
	}
	(*s)[host] = struct{}{}
}

func (s hostSet) has(host string) bool {
	_, ok := s[host]
	return ok
}

// leakNames says which hosts a leak check may find.
type leakNames interface {
	allowsAnywhere(host string) bool
	// isOwnName says of a host that it is the subject's mail domain or mailbox, which may stand in words, but not behind "//".
	isOwnName(host string) bool
	// isAccountDomain says of a host that it is the subject's mail domain, which may stand behind the @ of an address although no server of that name may.
	isAccountDomain(host string) bool
}

// leakCheck is one check. It is used again: what it takes to look at a text once is half of what it costs.
type leakCheck struct {
	names  leakNames
	banned []string // hosts that were taken out: not even as part of other text, but for names below them
	budget int
	// authority and word remember what is no stranger where it stands behind "//" and between delimiters: answers say the same hosts again
	// and again. A stranger ends the check.
	authority, word map[string]struct{}
	decoded         []byte // of the base64 run at hand
	folded          []byte // the text at hand in lower case
	field           []byte // the header field at hand
	// emailDomain is what the client puts in the place of emailDomainVariable: https://dav.%EMAILDOMAIN%/ is a host of that domain.
	emailDomain string
}

var leakChecks = sync.Pool{New: func() any {
	return &leakCheck{authority: make(map[string]struct{}), word: make(map[string]struct{})}
}}

func newLeakCheck(j *judgement) *leakCheck {
	l := leakChecks.Get().(*leakCheck)
	l.names, l.budget, l.emailDomain = j, leakBudget, j.plan.Inquiry.EmailDomain()
	return l
}

// free gives the check's room back, unless it has become large.
func (l *leakCheck) free() {
	if cap(l.folded)+cap(l.decoded)+cap(l.field) > leakScratch || len(l.authority)+len(l.word) > leakMemory/8 {
		return
	}
	clear(l.authority)
	clear(l.word)
	*l = leakCheck{authority: l.authority, word: l.word, decoded: l.decoded, folded: l.folded, field: l.field}
	leakChecks.Put(l)
}

// emailDomainVariable is in lower case, as everything is that is looked at.
const emailDomainVariable = "%emaildomain%"

// leaksText reports whether s, in any decoded form, names a host that is not allowed. Text beyond the budget counts as if it did.
func (l *leakCheck) leaksText(s []byte, depth int) bool {
	if l.budget -= len(s) * (1 + len(l.banned)/leakShare); l.budget < 0 {
		return true
	}
	folded, ascii := appendLower(l.folded[:0], s)
	l.folded = folded
	if !ascii {
		blankSpaces(folded)
	}
	for _, host := range l.banned {
		if l.holdsBanned(folded, host) {
			return true
		}
	}
	blankIdentifiers(folded)
	if l.leaksAuthority(folded) || l.leaksScheme(folded) {
		return true
	}
	blankHarmless(folded)
	if depth < leakDepth { // the next layer sees what they stand for; here user%40lab.test would read as 40lab.test
		folded = blankEscapes(folded)
	}
	if l.leaksWord(folded, ascii) || l.leaksAddress(folded) {
		return true
	}
	if depth == leakDepth {
		return false
	}
	for _, inner := range l.layers(s) {
		if l.leaksText(inner, depth+1) {
			return true
		}
	}
	return false
}

// leaksAuthority reports whether a stranger stands behind any "//".
func (l *leakCheck) leaksAuthority(s []byte) bool {
	for strange := false; !strange; {
		i := bytes.Index(s, []byte("//"))
		if i < 0 {
			return false
		}
		s, strange = l.pastAuthority(bytes.TrimLeft(s[i+2:], "/"))
	}
	return true
}

// leaksScheme reports whether a stranger stands behind any "http:" or "https:" without two slashes: browsers supply them, and take a backslash for one.
func (l *leakCheck) leaksScheme(s []byte) bool {
	for strange := false; !strange; {
		i := bytes.Index(s, []byte("http"))
		if i < 0 {
			return false
		}
		s = bytes.TrimPrefix(s[i+len("http"):], []byte("s"))
		if rest, ok := bytes.CutPrefix(s, []byte(":")); ok {
			s, strange = l.pastAuthority(bytes.TrimLeft(rest, `/\`))
		}
	}
	return true
}

// pastAuthority reports whether the authority that s begins with is a stranger's, and gives what stands behind it, where the search goes on: a scheme in front of the last @
// of the authority is user information of the same host, and one behind it is part of the host.
func (l *leakCheck) pastAuthority(s []byte) (behind []byte, strange bool) {
	end := 0
	for end < len(s) && !endsAuthority[s[end]] {
		end++
	}
	authority, behind := s[:end], s[end:]
	if l.emailDomain != "" {
		authority = bytes.ReplaceAll(authority, []byte(emailDomainVariable), []byte(l.emailDomain))
	}
	if authority = authority[bytes.LastIndexByte(authority, '@')+1:]; len(authority) == 0 || remembers(l.authority, authority) {
		return behind, false
	}
	name := string(authority)
	if l.isStranger(name) {
		return behind, true
	}
	remember(l.authority, name)
	return behind, false
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

func remembers(known map[string]struct{}, s []byte) bool {
	_, ok := known[string(s)]
	return ok
}

func remember(known map[string]struct{}, s string) {
	if len(known) < leakMemory {
		known[s] = struct{}{}
	}
}

// leaksWord reports whether anything between delimiters reads like the host name or address of a stranger. ascii says that s has no other dots than ASCII's.
func (l *leakCheck) leaksWord(s []byte, ascii bool) bool {
	for {
		dot := 0
		if ascii {
			dot = bytes.IndexByte(s, '.')
		} else {
			dot = bytes.IndexAny(s, dots)
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
		found, before := bytes.Trim(s[start:end], ".:-"), byte(0)
		if start > 0 {
			before = s[start-1]
		}
		certificate := before == '*' && s[start] == '.' // msstd:*.lab.test
		s = s[end:]
		if certificate && l.allows("*."+string(found)) {
			continue
		}
		if !hasDot(found) || remembers(l.word, found) || l.isLocalPart(found, before, s) {
			continue
		}
		word := string(found)
		if before == '@' && l.names.isAccountDomain(word) {
			continue
		}
		if l.isStrangeWord(word) {
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

// isStrangeWord reports whether a word reads like the name of a stranger. In one that is no name as a whole every part counts: what stands before a
// colon may be a scheme (msstd:mail.lab.test) or, to one client, the host.
func (l *leakCheck) isStrangeWord(word string) bool {
	host := reserved.Canonical(word)
	if nameLike(host) || reserved.IsAddress(host) {
		return l.isStrangeName(host)
	}
	for part := range strings.FieldsFuncSeq(host, notInName) {
		if hasDot(part) && l.isStrangeName(strings.Trim(part, ".")) {
			return true
		}
	}
	return false
}

func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.' && r < utf8.RuneSelf
}

func (l *leakCheck) isStrangeName(host string) bool {
	return !l.allows(host) && readsLikeHost(host) && !l.names.isOwnName(host)
}

// readsLikeHost reports whether a canonical word with a dot reads like a host name: it ends in a listed suffix, which need not be a registry's (anybody can
// have a name below github.io), or in a reserved name, or is an address.
func readsLikeHost(host string) bool {
	if reserved.IsAddress(host) {
		return true
	}
	if _, listed := publicSuffix(host); listed {
		return true
	}
	_, ok := reserved.Default().Match(host)
	return ok
}

// hasDot reports whether s has a dot in any of the forms that UTS 46 takes for one.
func hasDot[T string | []byte](s T) bool {
	for i := range len(s) {
		switch {
		case s[i] == '.':
			return true
		case s[i] >= utf8.RuneSelf:
			return strings.ContainsAny(string(s[i:]), dots)
		}
	}
	return false
}

// dots are what reserved.Canonical takes for a dot: the four of UTS 46, and the two that NFKC makes one of.
const dots = ".。．｡․﹒"

// isStranger judges what stands behind "//": a host, or what nobody should take for one.
func (l *leakCheck) isStranger(authority string) bool {
	host := reserved.Canonical(authority)
	return !l.allows(host) || !nameLike(host) && !reserved.IsAddress(host) || strings.Contains(authority, "%") && !strings.Contains(host, ":")
}

func (l *leakCheck) allows(host string) bool {
	return slices.Contains(nameSpaces[:], host) || l.names.allowsAnywhere(host)
}
