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
		if start > 0 && inWord[s[start-1]] { // imap:2606:4700::1111, [IPv6:2606:4700::1111]
			start += bytes.IndexByte(s[start:end], ':') + 1
		}
		found := bytes.TrimRight(s[start:end], ".")
		if bytes.HasSuffix(found, []byte(":")) && !bytes.HasSuffix(found, []byte("::")) {
			found = found[:len(found)-1]
		}
		whole := bytes.Count(found, []byte(":")) >= 6 || len(found) > len("::") && bytes.Contains(found, []byte("::")) // RFC 4291, section 2.2; most are times
		if !whole || isSerial(found) || end < len(s) && inWord[s[end]] || remembers(l.word, found) {
			continue
		}
		word := string(found)
		if !reserved.IsAddress(word) { // what else it may be is not asked here
			continue
		}
		if l.isStrangeName(reserved.Canonical(word)) {
			return true
		}
		remember(l.word, word)
	}
}

// isSerial reports whether what reads like an address is eight octets, as serial numbers and interfaces (EUI-64) are written: no server has an address that begins with zeros and no two
// colons beside each other (RFC 4291, section 2.4).
func isSerial(word []byte) bool {
	if len(word) != len("0a:1b:2c:3d:4e:5f:60:71") {
		return false
	}
	for i := 2; i < len(word); i += 3 {
		if word[i] != ':' {
			return false
		}
	}
	return !bytes.Contains(word, []byte("::"))
}

var (
	inIPv6 = bytesOf("0123456789abcdef:.")
	// inWord holds the bytes that make what stands beside them a part of a longer word: std::abc is no address.
	inWord = bytesOf("abcdefghijklmnopqrstuvwxyz0123456789-_")
)
