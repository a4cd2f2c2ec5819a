package reserved

import "strings"

// tailSize is how much of a name's end is looked at: no entry is as long, so a match cannot reach further. A test holds the table to it.
const tailSize = 64

// Match finds the most specific entry that name is or stands below. Any spelling that [Canonical] understands will do. Address literals
// do not match, see [Set.MatchSubject].
//
// It does not allocate for a plain ASCII name in any case, with or without trailing dots, of any length.
func (s *Set) Match(name string) (Entry, bool) {
	s = s.orDefault()
	if !simple(name) {
		return s.find(wholeTail(Canonical(name)))
	}
	return s.find(strings.TrimRight(name, "."))
}

// MatchSubject is Match for what stands behind the @ of a mail address: a name, or an address literal as in user@[192.0.2.1] (RFC 5321,
// section 4.1.3), for which the entry's Name is the range that the address is in. Do not ask it about hosts, because a host that is
// reached by its private address is nothing special.
func (s *Set) MatchSubject(domain string) (Entry, bool) {
	if e, ok := s.Match(domain); ok {
		return e, true
	}
	a, _ := literal(Canonical(domain)) // the zero Addr, which no range holds, where it is none
	e, ok := s.MatchAddr(a)
	return e.Entry, ok
}

// find walks the labels of name from the right as long as they lead to an entry. name has no trailing dot; its case does not matter.
func (s *Set) find(name string) (Entry, bool) {
	var tail [tailSize]byte
	cut := max(0, len(name)-tailSize)
	n := copy(tail[:], name[cut:])
	for i, c := range tail[:n] {
		if 'A' <= c && c <= 'Z' {
			tail[i] = c + 'a' - 'A'
		}
	}
	best := inner
	for i := n - 1; i >= -1; i-- {
		if i >= 0 && tail[i] != '.' {
			continue
		}
		at, ok := s.suffix[string(tail[i+1:n])]
		if !ok {
			break
		}
		if at != inner {
			best = at
		}
	}
	if best == inner {
		return Entry{}, false
	}
	return s.entries[best], true
}

// wholeTail brings a canonical name that was too long for IDNA down to labels that IDNA has seen: those that are whole in its last
// maxMapped bytes. No DNS name is as long, but what stands at its end must not escape by what was put before it.
func wholeTail(name string) string {
	if len(name) <= maxMapped || isASCII(name) {
		return name
	}
	_, whole, _ := strings.Cut(Canonical(name[len(name)-maxMapped:]), ".")
	return whole
}
