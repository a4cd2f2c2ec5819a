package rules

import (
	"bytes"
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// appendLower appends what [bytes.ToLower] makes of s, and reports whether all of s is ASCII. Text nearly always is, so eight bytes are looked at together.
func appendLower(out, s []byte) (lower []byte, ascii bool) {
	from := len(out)
	out = append(out, s...)
	rest := out[from:]
	for ; len(rest) >= 8; rest = rest[8:] {
		w := binary.LittleEndian.Uint64(rest)
		if w&highBits != 0 {
			return append(out[:from], bytes.ToLower(s)...), false
		}
		// Below 0x80 each, so no sum reaches the next byte. The high bit of the first says "A or above", that of the second "above Z".
		fromA, aboveZ := w+(0x80-'A')*eachByte, w+(0x80-'Z'-1)*eachByte
		binary.LittleEndian.PutUint64(rest, w|(fromA&^aboveZ&highBits)>>2) // 0x80 becomes 'a'-'A'
	}
	for i, c := range rest {
		switch {
		case c >= 0x80:
			return append(out[:from], bytes.ToLower(s)...), false
		case c-'A' <= 'Z'-'A':
			rest[i] = c + 'a' - 'A'
		}
	}
	return out, true
}

// blankSpaces puts spaces in the place of white space beyond ASCII, in s itself: it ends words as any other does (line and paragraph separators, NEL).
func blankSpaces(s []byte) {
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		if r >= utf8.RuneSelf && unicode.IsSpace(r) {
			copy(s[:size], "   ")
		}
		s = s[size:]
	}
}
