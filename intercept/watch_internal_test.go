package intercept

import (
	"strings"
	"testing"

	"autodiscover-guard/rules/dialect"
)

// A beginning is read again with each piece, but not without end: 64 KB of a comment, byte by byte, took more than a minute.
func TestOutset_isNotReadForEver(t *testing.T) {
	h := dialect.Header{"Content-Type": {"text/xml"}}
	read := func(text string, piece int) (released int, o outset) {
		for n := piece; n <= len(text); n += piece {
			if o.foreign(h, []byte(text[:n])) {
				return n, o
			}
		}
		return 0, o
	}
	if released, o := read("<!--"+strings.Repeat("a", 2*longestOutset), 1); released != 0 || o.looked > mostLooked+longestOutset {
		t.Errorf("byte by byte: %d bytes were read, released after %d", o.looked, released)
	}
	// What comes in pieces as programs write them is released as soon as it can be.
	events := "<events>" + strings.Repeat("<!-- "+strings.Repeat("x", 800)+" --><event/>", 100)
	if released, _ := read(events, 512); released == 0 || released > 65*850 {
		t.Errorf("in pieces: released after %d", released)
	}
}
