// Package terminal keeps what others have said from doing something to the terminal that shows it: a stranger's server may name any host, and so may whoever has made a
// file. [Printable] is for text, [Escape] for JSON, which asks for an escape below U+0020 only: U+009B begins a sequence of control as ESC does, and U+202E turns a
// line around. Whoever reads the JSON gets the same text.
package terminal

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Escape writes what no terminal shows as \u009b and the like: controls, what changes the direction of writing, what is invisible. What is not UTF-8 and what is ASCII
// stays, but for U+007F: the encoders of JSON have looked after that. Where there is nothing to do, the result is text itself.
func Escape(text []byte) []byte {
	i := 0
	for i < len(text) && text[i] < 0x7f {
		i++
	}
	var escaped []byte
	done := 0 // how far text is in escaped
	for i < len(text) {
		if text[i] < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r != utf8.RuneError && !unicode.IsPrint(r) {
			escaped = appendEscape(append(escaped, text[done:i]...), r)
			done = i + size
		}
		i += size
	}
	if done == 0 {
		return text
	}
	return append(escaped, text[done:]...)
}

// appendEscape writes a character as JSON does, in UTF-16.
func appendEscape(b []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// Writer escapes what is written to w. Each write is to hold whole characters.
func Writer(w io.Writer) io.Writer { return writer{w} }

type writer struct{ w io.Writer }

func (e writer) Write(text []byte) (int, error) {
	if _, err := e.w.Write(Escape(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}
