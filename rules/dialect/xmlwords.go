package dialect

import (
	"bytes"
	"strings"
)

// A lenient reader makes an attribute of every word in a tag: 135 MB of one MiB, and one client may have many such questions read at once. So it is not given more
// words of a tag than anybody writes. What a tag is, is what encoding/xml takes for one (Go 1.26, xml.go: rawToken).

const (
	// fewWords is how long a text may be without a look at its tags.
	fewWords = 16 << 10
	// maxWords bounds the words of a tag; an equals sign counts as one.
	maxWords = 16 * maxAttributes
)

// truncateTags is a text without what stands in a tag behind maxWords.
func truncateTags(text []byte) []byte {
	if len(text) <= fewWords {
		return text
	}
	var out []byte
	kept := 0
	for at := 0; at < len(text); {
		i := bytes.IndexByte(text[at:], '<')
		if i < 0 {
			break
		}
		at += i + 1
		if past := skipNonTag(text[at:]); past > 0 {
			at += past
			continue
		}
		enough, end := tagEnd(text[at:])
		if enough < end {
			out, kept = append(out, text[kept:at+enough]...), at+end
		}
		at += end
	}
	if kept == 0 {
		return text
	}
	return append(out, text[kept:]...)
}

// skipNonTag is where a comment, CDATA, a processing instruction or a declaration ends of which s is what stands behind its first byte; 0 where that is none of them.
func skipNonTag(s []byte) int {
	switch {
	case bytes.HasPrefix(s, []byte("!--")):
		return past(s, len("!--"), "-->")
	case bytes.HasPrefix(s, []byte("![CDATA[")):
		return past(s, len("![CDATA["), "]]>")
	case bytes.HasPrefix(s, []byte("?")):
		return past(s, len("?"), "?>")
	case bytes.HasPrefix(s, []byte("!")):
		return skipDeclaration(s)
	}
	return 0
}

func past(s []byte, from int, end string) int {
	if i := bytes.Index(s[from:], []byte(end)); i >= 0 {
		return from + i + len(end)
	}
	return len(s)
}

// skipDeclaration goes over what is declared inside a declaration, and over strings and comments in it. Whatever its first byte is begins and ends nothing.
func skipDeclaration(s []byte) int {
	depth, quote := 0, byte(0)
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"', c == '\'':
			quote = c
		case c == '>':
			if depth--; depth < 0 {
				return i + 1
			}
		case bytes.HasPrefix(s[i:], []byte("<!--")):
			i = past(s, i+len("<!--"), "-->") - 1
		case c == '<':
			depth++
		}
	}
	return len(s)
}

// tagEnd is where a tag ends of which s is what stands behind its first byte, and where its words are enough.
func tagEnd(s []byte) (enough, end int) {
	words, quote, apart := 0, byte(0), true
	enough = len(s)
	for i, c := range s {
		switch {
		case quote != 0:
			if c == quote {
				quote, apart = 0, true
			}
			continue
		case c == '>':
			return min(enough, i), i
		case c == '"', c == '\'':
			quote = c
			continue
		case strings.IndexByte(" \t\r\n", c) >= 0:
			apart = true
			continue
		case c != '=' && !apart:
			continue
		}
		if apart = false; words < maxWords {
			words++
		} else {
			enough = min(enough, i)
		}
	}
	return enough, len(s)
}
