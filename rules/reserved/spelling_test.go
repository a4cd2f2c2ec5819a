package reserved_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"golang.org/x/net/idna"
)

// spell writes a canonical name in one of its other spellings: what a client, a user, or somebody with bad intentions might send.
func spell(r *rand.Rand, name string) string {
	if r.IntN(2) == 0 {
		name, _ = idna.Punycode.ToUnicode(name)
	}
	var b strings.Builder
	for _, c := range name {
		b.WriteRune(respell(r, c))
		if c > ' ' && r.IntN(12) == 0 {
			b.WriteString([]string{"\u00ad", "\u200b", "\u2060", "\ufeff"}[r.IntN(4)])
		}
	}
	name = b.String()
	for range r.IntN(3) {
		name = percent(r, name)
	}
	return surround(r, name)
}

func respell(r *rand.Rand, c rune) rune {
	switch {
	case c == '.':
		return []rune{'.', '.', '.', '\u3002', '\uff0e', '\uff61', '\u2024', '\ufe52'}[r.IntN(8)]
	case c > '~' || r.IntN(3) > 0:
		return c
	case 'a' <= c && c <= 'z' && r.IntN(2) == 0:
		return c - 'a' + 'A'
	default:
		return c - '!' + '\uff01' // full width
	}
}

func percent(r *rand.Rand, name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch r.IntN(6) {
		case 0:
			fmt.Fprintf(&b, "%%%02x", name[i])
		case 1:
			fmt.Fprintf(&b, "%%%02X", name[i])
		default:
			b.WriteByte(name[i])
		}
	}
	return b.String()
}

func surround(r *rand.Rand, name string) string {
	name += strings.Repeat(".", r.IntN(3))
	switch r.IntN(8) {
	case 0:
		return name + ":443"
	case 1:
		return "[" + name + "]"
	case 2:
		return " " + name + "\t"
	case 3:
		return name + "%2E"
	}
	return name
}

func randomLabels(r *rand.Rand) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	var b strings.Builder
	for range 1 + r.IntN(4) {
		for range 1 + r.IntN(12) {
			b.WriteByte(letters[r.IntN(len(letters))])
		}
		b.WriteByte('.')
	}
	return "x" + b.String()
}
