package terminal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable makes text for people safe for a terminal: control characters, what changes the direction of writing, what is invisible, and bytes that are no UTF-8
// are written as \x1b, \u202e and the like.
func Printable(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return !isPrintable(r) }) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		size := utf8.RuneLen(r)
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case isPrintable(r):
			b.WriteRune(r)
		case size == 1:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// isPrintable reports whether a terminal shows a character, and does nothing else: unicode.IsPrint holds for letters, marks, numbers, punctuation, symbols
// and the space, and so for no control and no format character. The replacement character may stand for a byte that was none.
func isPrintable(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError }
