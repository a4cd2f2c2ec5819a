package dialect

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
)

// encoding/xml takes for well-formed what is not (XML 1.0): a declaration in any form and anywhere, attributes without a space between them, a reference to half a character of UTF-16, and spaces
// beside the root that are written in another way than as spaces. A parser that gets over mistakes reads on,
// but not the same any more: from there libxml2 2.9.14 leaves out &amp; and its like (xmlParseReference), and so exchangelib reads user@lab.test.stranger.net in
// user@lab.test&amp;.stra&amp;nger.n&amp;et. Such a document is not plain.

// xmlDeclaration is one by the grammar (XML 1.0, section 2.8).
var xmlDeclaration = regexp.MustCompile(`^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')` +
	`(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"[A-Za-z][A-Za-z0-9._-]*"|'[A-Za-z][A-Za-z0-9._-]*'))?` +
	`(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>`)

// beginsDeclared reports whether a text begins with what encoding/xml takes for a declaration.
func beginsDeclared(data []byte) bool {
	return len(data) >= len("<?xml") && strings.EqualFold(string(data[:len("<?xml")]), "<?xml")
}

// wellFormed reports whether a document that encoding/xml has read to its end is well-formed to others, too. Of what stands in comments, CDATA and processing instructions it says nothing.
func wellFormed(data []byte) bool {
	if beginsDeclared(data) && !xmlDeclaration.Match(data) || refersToSurrogate(data) {
		return false
	}
	beside := 0
	for at := nextTag(data, 0); at >= 0; at = nextTag(data, beside) {
		end, apart := attributesApart(data[at:])
		if !apart || beside == 0 && bytes.IndexByte(data[:at], '&') >= 0 {
			return false
		}
		beside = at + end
	}
	return bytes.IndexByte(data[beside:], '&') < 0
}

// refersToSurrogate reports whether a text has a reference to what is no character by itself, which encoding/xml reads as U+FFFD.
func refersToSurrogate(data []byte) bool {
	for {
		_, after, ok := bytes.Cut(data, []byte("&#"))
		if !ok {
			return false
		}
		digits, base := after, 10
		if hex, ok := bytes.CutPrefix(after, []byte("x")); ok {
			digits, base = hex, 16
		}
		data = bytes.TrimLeft(digits, "0123456789abcdefABCDEF")
		n, _ := strconv.ParseUint(string(digits[:len(digits)-len(data)]), base, 16) // the last character, where it is too large
		if utf16.IsSurrogate(rune(n)) {
			return true
		}
	}
}

// nextTag is where, behind its first byte, the next tag of a text begins, from a place outside of any, or -1.
func nextTag(data []byte, from int) int {
	for {
		i := bytes.IndexByte(data[from:], '<')
		if i < 0 {
			return -1
		}
		from += i + 1
		past := skipNonTag(data[from:])
		if past == 0 {
			return from
		}
		from += past
	}
}

// attributesApart is where a tag ends of which s is what stands behind its first byte, and whether its attributes stand apart.
func attributesApart(s []byte) (end int, apart bool) {
	quote := byte(0)
	for i, c := range s {
		switch {
		case quote != 0:
			if c != quote {
				continue
			}
			if quote = 0; i+1 < len(s) && strings.IndexByte(" \t\r\n/>", s[i+1]) < 0 {
				return i, false
			}
		case c == '"', c == '\'':
			quote = c
		case c == '>':
			return i, true
		}
	}
	return len(s), true
}
