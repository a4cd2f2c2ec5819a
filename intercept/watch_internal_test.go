package intercept

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"autodiscover-guard/rules/dialect"
)

// A beginning is read again with each piece, but not without end: 64 KB of a comment, byte by byte, took more than a minute.
func TestOutset_isNotReadForEver(t *testing.T) {
	t.Parallel()
	h := dialect.Header{"Content-Type": {"text/xml"}}
	read := func(text string, piece int) (released int, o outset) {
		head := []byte(text)
		for n := piece; n <= len(head); n += piece {
			if o.foreign(h, head[:n]) {
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

// To undo a coding again with each piece costs something however little is in it, and is bounded, too.
func TestOutset_isNotUnpackedForEver(t *testing.T) {
	packed := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, text)
		_ = z.Flush()
		return b.Bytes()
	}
	h := dialect.Header{"Content-Encoding": {"gzip"}}
	var o outset
	times := 0
	for head := packed("<a>"); times <= mostLooked/unpacking+1; times++ {
		if plain, text := o.unpacked(h, head); string(text) != "<a>" || plain["Content-Encoding"] != nil {
			break
		}
	}
	if most := mostLooked / unpacking; times < most/2 || times > most {
		t.Errorf("%d times were undone, with %d bytes to count", times, o.looked)
	}
	o = outset{}
	large := make([]byte, 2*longestOutset)
	for i := range large { // nothing that shrinks
		large[i] = byte(rand.Uint32())
	}
	if head := packed(string(large)); len(head) < longestOutset {
		t.Fatal("it shrank")
	} else if plain, text := o.unpacked(h, head); !bytes.Equal(text, head) || plain["Content-Encoding"] == nil || o.looked != 0 {
		t.Errorf("%d bytes of what is long enough were looked at", o.looked)
	}
	// What has no coding costs nothing.
	if _, text := o.unpacked(dialect.Header{}, []byte("<a>")); string(text) != "<a>" || o.looked != 0 {
		t.Errorf("%q, and %d bytes", text, o.looked)
	}
}
