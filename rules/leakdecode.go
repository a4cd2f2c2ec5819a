package rules

import (
	"bytes"
	"encoding/base64"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// layers undoes, each for itself, the encodings that text can be in: character references, JSON escapes, percent-encoding, base64.
func (l *leakCheck) layers(s []byte) [][]byte {
	var all [][]byte
	for _, e := range escapes {
		if bytes.IndexByte(s, e.sign) < 0 {
			continue
		}
		text := string(s)
		if plain := e.undo(text); plain != text {
			all = append(all, []byte(plain))
		}
	}
	for rest := s; len(rest) >= shortestCoded; {
		end := shortestCoded
		if !base64Letters[rest[end-1]] { // a run that is worth decoding would hold it
			rest = rest[end:]
			continue
		}
		start := end - 1
		for start > 0 && base64Letters[rest[start-1]] {
			start--
		}
		for end < len(rest) && base64Letters[rest[end]] {
			end++
		}
		if decoded, ok := l.unescapeBase64(rest[start:end]); ok {
			all = append(all, decoded)
		}
		rest = rest[end:]
	}
	return all
}

// escapes are the encodings that a byte gives away.
var escapes = [...]struct {
	sign byte
	undo func(string) string
}{
	{'&', html.UnescapeString},
	{'\\', unescapeJSON},
	{'%', unescapePercent},
}

// base64Letters are those of both alphabets of RFC 4648.
var base64Letters = bytesOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")

// unescapeBase64 decodes a run of base64 letters where the result is text: everything else is a word. Whether it names a host is for the next layer
// to say, for its dots may be coded too.
func (l *leakCheck) unescapeBase64(run []byte) ([]byte, bool) {
	if len(run) < shortestCoded || !beginsText(run) {
		return nil, false
	}
	encoding := base64.RawStdEncoding
	if bytes.ContainsAny(run, "-_") {
		encoding = base64.RawURLEncoding
	}
	if len(run)%4 == 1 { // no encoding has that length; the last letter belongs to something else
		run = run[:len(run)-1]
	}
	var err error
	if l.decoded, err = encoding.AppendDecode(l.decoded[:0], run); err != nil || hasControl(l.decoded) || !utf8.Valid(l.decoded) {
		return nil, false
	}
	return bytes.Clone(l.decoded), true
}

// beginsText tells by the first letters of a base64 run, of which there are four, whether it can be text: most words cannot.
func beginsText(run []byte) bool {
	a, b, c, d := base64Values[run[0]], base64Values[run[1]], base64Values[run[2]], base64Values[run[3]]
	first, second, third := a<<2|b>>4, b<<4|c>>2, c<<6|d
	switch {
	case isControl(first) || isControl(second) || isControl(third):
		return false
	case first >= utf8.RuneSelf: // a letter that takes several bytes
		return utf8.RuneStart(first) && !utf8.RuneStart(second)
	case second >= utf8.RuneSelf:
		return utf8.RuneStart(second) && !utf8.RuneStart(third)
	}
	return utf8.RuneStart(third)
}

// base64Values are those of the letters of both alphabets.
var base64Values = func() (table [256]byte) {
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		table[c] = byte(i)
	}
	table['-'], table['_'] = table['+'], table['/']
	return table
}()

// hasControl reports whether something decoded is no text.
func hasControl(b []byte) bool {
	return slices.ContainsFunc(b, isControl)
}

func isControl(c byte) bool { return c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f }

// blankEscapes puts a space in the place of every valid percent escape, in s itself, which is in lower case; but for %40, which becomes the @ of an address.
func blankEscapes(s []byte) []byte {
	if bytes.IndexByte(s, '%') < 0 {
		return s
	}
	out := s[:0]
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			if c = ' '; s[i+1] == '4' && s[i+2] == '0' {
				c = '@'
			}
			i += 2
		}
		out = append(out, c)
	}
	return out
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

// unescapePercent decodes valid escapes and keeps the rest, as lenient readers do.
func unescapePercent(s string) string {
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if decoded, err := url.PathUnescape(s[i : i+3]); err == nil {
				out.WriteString(decoded)
				i += 2
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// unescapeJSON undoes the escapes of JSON strings (RFC 8259, section 7) anywhere in a text.
func unescapeJSON(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		if unit, ok := unescapeUnit(s[i:]); ok {
			i += 5
			if second, ok := unescapeUnit(s[i+1:]); ok {
				if r := utf16.DecodeRune(unit, second); r != utf8.RuneError { // two halves, that is: 𝐧𝐞𝐭 is net to IDNA
					unit = r
					i += 6
				}
			}
			out.WriteRune(unit)
			continue
		}
		i++
		out.WriteByte(s[i])
	}
	return out.String()
}

// unescapeUnit reads the escape that s may begin with: a character, or half of one beyond U+FFFF.
func unescapeUnit(s string) (rune, bool) {
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	unit, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(unit), err == nil
}
