package intercept

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// A beginning is read again with each piece, but not without end: 64 KB of a comment, byte by byte, took more than a minute.
func TestAnswerHead_isNotReadForEver(t *testing.T) {
	t.Parallel()
	h := dialect.Header{"Content-Type": {"text/xml"}}
	read := func(text string, piece int) (released int, o answerHead) {
		head := []byte(text)
		for n := piece; n <= len(head); n += piece {
			if o.notDiscovery(h, head[:n]) {
				return n, o
			}
		}
		return 0, o
	}
	if released, o := read("<!--"+strings.Repeat("a", 2*maxAnswerHead), 1); released != 0 || o.reread > maxReread+maxAnswerHead {
		t.Errorf("byte by byte: %d bytes were read, released after %d", o.reread, released)
	}
	// What comes in pieces as programs write them is released as soon as it can be.
	events := "<events>" + strings.Repeat("<!-- "+strings.Repeat("x", 800)+" --><event/>", 100)
	if released, _ := read(events, 512); released == 0 || released > 65*850 {
		t.Errorf("in pieces: released after %d", released)
	}
}

// To undo a coding again with each piece costs something however little is in it, and is bounded, too.
func TestAnswerHead_isNotDecodedForEver(t *testing.T) {
	packed := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, text)
		_ = z.Flush()
		return b.Bytes()
	}
	h := dialect.Header{"Content-Encoding": {"gzip"}}
	var o answerHead
	times := 0
	for head := packed("<a>"); times <= maxReread/decodingCost+1; times++ {
		if plain, text := o.decoded(h, head); string(text) != "<a>" || plain["Content-Encoding"] != nil {
			break
		}
	}
	if most := maxReread / decodingCost; times < most/2 || times > most {
		t.Errorf("%d times were undone, with %d bytes to count", times, o.reread)
	}
	o = answerHead{}
	large := make([]byte, 2*maxAnswerHead)
	for i := range large { // nothing that shrinks
		large[i] = byte(rand.Uint32())
	}
	if head := packed(string(large)); len(head) < maxAnswerHead {
		t.Fatal("it shrank")
	} else if plain, text := o.decoded(h, head); !bytes.Equal(text, head) || plain["Content-Encoding"] == nil || o.reread != 0 {
		t.Errorf("%d bytes of what is long enough were looked at", o.reread)
	}
	// What has no coding costs nothing.
	if _, text := o.decoded(dialect.Header{}, []byte("<a>")); string(text) != "<a>" || o.reread != 0 {
		t.Errorf("%q, and %d bytes", text, o.reread)
	}
}

// What comes byte by byte is seen whole as what comes at once: as long as it may be discovery, but not beyond the limit.
func TestLook_byteByByte(t *testing.T) {
	t.Parallel()
	const limit, settings = 4000, `<clientConfig><emailProvider/></clientConfig>`
	odd := "<mailAccount>" + strings.Repeat("<folder/>", 100) + "<imap>imap.stranger.net</imap></mailAccount>"
	for _, c := range []struct {
		name, body       string
		sized, suspected bool
		whole            bool
	}{
		{name: "settings", body: settings, whole: true},
		{name: "settings behind an empty line", body: "\r\n" + settings, whole: true},
		{name: "settings with a length", body: settings, sized: true, whole: true},
		{name: "longer than any", body: settings + strings.Repeat(" ", limit)},
		{name: "a document of nobody's", body: odd},
		{name: "a document of nobody's, with a length", body: odd, sized: true, whole: true},
		{name: "a document of nobody's, where such are refused", body: odd, suspected: true, whole: true},
		{name: "words", body: "it is " + settings},
	} {
		var config rules.Config
		if c.suspected {
			config.Services = map[string]rules.Mode{"suspected": rules.Enforce}
		}
		policy, err := rules.New(config)
		if err != nil {
			t.Fatal(err)
		}
		resp := &http.Response{Body: io.NopCloser(iotest.OneByteReader(strings.NewReader(c.body))), Header: http.Header{}, ContentLength: -1}
		if c.sized {
			resp.ContentLength = int64(len(c.body))
		}
		x := &exchange{p: &Plugin{limits: Limits{BodyBytes: limit}}, policy: policy}
		head, whole, err := x.look(resp, false)
		if whole != c.whole || err != nil || len(head) > limit+1 || whole && string(head) != c.body {
			t.Errorf("%s: %d bytes of %d, whole: %v, %v", c.name, len(head), len(c.body), whole, err)
		}
	}
}
