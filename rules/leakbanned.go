package rules

import (
	"bytes"
	"unicode/utf8"
)

// holdsBanned reports whether host stands anywhere in s, in lower case, but at the end of an allowed name below it, whoever is not told hoster.net can still be told
// mail.hoster.net, and of an address at the account's own domain.
func (l *leakCheck) holdsBanned(s []byte, host string) bool {
	for {
		i := bytes.Index(s, []byte(host))
		if i < 0 {
			return false
		}
		start, end := i, i+len(host)
		for start > 0 && inName[s[start-1]] {
			start--
		}
		if end < len(s) && s[end] == '.' { // of a name that is written to its root
			end++
		}
		name, own := s[start:end], start == i && i > 0 && s[i-1] == '@' && l.names.isAccountDomain(host)
		if end < len(s) && inName[s[end]] || !own && (start == i || s[i-1] != '.') {
			return true
		}
		if !own && !remembers(l.authority, name) {
			if l.isStranger(string(name)) { // in normal form, without the last dot
				return true
			}
			remember(l.authority, string(name))
		}
		s = s[end:]
	}
}

// inName holds the bytes that are part of a name to anybody, escaped ones too.
var inName = func() [256]bool {
	table := bytesOf("abcdefghijklmnopqrstuvwxyz0123456789-_.%\\")
	for c := utf8.RuneSelf; c < len(table); c++ {
		table[c] = true
	}
	return table
}()
