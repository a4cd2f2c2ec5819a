package rules

import (
	"bytes"

	"autodiscover-guard/rules/reserved"
)

// leaksAddress reports whether the address of a stranger stands anywhere that has no dot: one of IPv6, as a word of its own.
func (l *leakCheck) leaksAddress(s []byte) bool {
	for at := 0; ; {
		colon := bytes.IndexByte(s[at:], ':')
		if colon < 0 {
			return false
		}
		start, end := at+colon, at+colon
		for start > 0 && inIPv6[s[start-1]] {
			start--
		}
		for end < len(s) && inIPv6[s[end]] {
			end++
		}
		at = end
		found := bytes.TrimRight(s[start:end], ".")
		whole := bytes.Count(found, []byte(":")) >= 6 || len(found) > len("::") && bytes.Contains(found, []byte("::")) // RFC 4291, section 2.2; most are times
		if !whole || start > 0 && inWord[s[start-1]] || end < len(s) && inWord[s[end]] || remembers(l.word, found) {
			continue
		}
		word := string(found)
		if isAddress(word) && l.isStrangeName(reserved.Canonical(word)) {
			return true
		}
		remember(l.word, word)
	}
}

var (
	inIPv6 = bytesOf("0123456789abcdef:.")
	// inWord holds the bytes that make what stands beside them a part of a longer word: std::abc is no address.
	inWord = bytesOf("abcdefghijklmnopqrstuvwxyz0123456789-_")
)
