package dialect

import (
	"bytes"
	"encoding/xml"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// tags lists the tags of a text, and how many attributes each has at most.
func tags(text []byte) (names []string, most int) {
	d := xml.NewDecoder(bytes.NewReader(text))
	d.Strict, d.CharsetReader = false, func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		token, err := d.RawToken()
		switch token := token.(type) {
		case xml.StartElement:
			names, most = append(names, token.Name.Local), max(most, len(token.Attr))
		case xml.CharData:
			names = append(names, string(token))
		}
		if err != nil {
			return names, most
		}
	}
}

// TestTruncateTags_hidesNoTag: only the attributes of long tags are missed by who reads a text, however that puts them.
func TestTruncateTags_hidesNoTag(t *testing.T) {
	words := strings.Repeat("a ", 20_000)
	for _, text := range []string{
		"<a " + words + "><autodiscover>", "<a " + words, "<a " + words + "/>text<autodiscover/>",
		"<a " + strings.Repeat("b='>' ", 9_000) + "><autodiscover>", "<a " + strings.Repeat(`b=">"c=d `, 9_000) + "><autodiscover>",
		"<a a=b" + strings.Repeat("é=b", 9_000) + "><autodiscover>", "<a " + strings.Repeat("b= c ", 9_000) + "><autodiscover>",
		"<!-- <a " + words + "--><autodiscover>", "<!-- <a " + words + "> --><autodiscover>", "<?p <a " + words + "?><autodiscover>",
		"<x><![CDATA[<a " + words + "]]><autodiscover>", `<!X "<a ` + words + `" ><autodiscover a="b">`, "<!X <a " + words + "> ><autodiscover>",
		"<!X <!-- ' <a " + words + "--> ><autodiscover>", "<!X '>' [<!Y <a " + words + ">>]><autodiscover>", "</a " + words + "><autodiscover>",
		"<!-- " + words + "<a", "<!X '" + words + "<a", "< " + words + "><autodiscover>",
		"<!'><a " + words + "b='>text'><autodiscover>",
		"<a b='<c " + words + "'><autodiscover>", "<!-- x -->" + words + "<autodiscover>", "<!-- ' --><a " + words + "><autodiscover>",
		"<!--><a " + words + "--><autodiscover>", "<!----><a " + words + "><autodiscover>",
		"<x><![CDATA[']]><a " + words + "><autodiscover>", "<x><![CDATA[]]><a " + words + "><autodiscover>",
	} {
		short := truncateTags([]byte(text))
		want, _ := tags([]byte(text))
		if got, most := tags(short); strings.Join(got, "|") != strings.Join(want, "|") || most > maxWords {
			t.Errorf("%.30s…%s: %.100q with up to %d attributes, want %.100q", text, text[len(text)-20:], got, most, want)
		}
	}
	if short := truncateTags([]byte("<a " + words)); len(short) > 3*maxWords { // of a tag that does not end, the words are read, too
		t.Errorf("%d bytes of an endless tag", len(short))
	}
}

// TestTruncateTags_ofAnyText: nor does anything in any order. What the reader no longer stumbles over may show it more tags.
func TestTruncateTags_ofAnyText(t *testing.T) {
	words := strings.Repeat("a ", maxWords+9)
	parts := []string{
		words, words, words, "<a ", "<a ", "<a ", ">", ">", ">", "/>", "</a>", "'", `"`, "=", "a=", "'b'", `"b"`, "<", "<b>", "<autodiscover>", "text", " ", "é",
		"<!X", "<!", "<!--", "-->", "<!-->", "-", "<![CDATA[", "]]>", "[", "<?p ", "?>", "?",
	}
	random := rand.New(rand.NewPCG(18, 53))
	long := strings.Repeat(" ", fewWords)
	for range 300 {
		var b strings.Builder
		for range 3 + random.IntN(12) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		text := b.String() + "><autodiscover>"
		want, _ := tags([]byte(long + text))
		got, most := tags(truncateTags([]byte(long + text)))
		if most > maxWords || len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
			t.Fatalf("%s: %.100q with up to %d attributes, want %.100q", strings.ReplaceAll(text, words, "WORDS "), got, most, want)
		}
	}
}

// TestPastNoTag_isWhereTheReaderIs: what is no tag ends where encoding/xml is behind it, and a tag ends where its tag does.
func TestPastNoTag_isWhereTheReaderIs(t *testing.T) {
	parts := []string{"<", "<!-", "<!--", "-->", "--", "-", ">", ">", "'", `"`, "]]>", "]", "?>", "?", "!", "a", " ", "=", "b='>'", `c=">"`}
	random := rand.New(rand.NewPCG(18, 54))
	kinds := map[string]int{}
	for range 30_000 {
		kind := []string{"!X", "!'", "!>", "!--", "![CDATA[", "?p ", "a "}[random.IntN(7)]
		s := kind
		for range random.IntN(9) {
			s += parts[random.IntN(len(parts))]
		}
		d := xml.NewDecoder(strings.NewReader("<" + s + ">-->]]>?>"))
		d.Strict = false
		if _, err := d.RawToken(); err != nil {
			continue
		}
		kinds[kind]++
		s += ">-->]]>?>"
		got := skipNonTag([]byte(s))
		if kind == "a " {
			_, end := tagEnd([]byte(s))
			got += end + len(">")
		}
		if want := int(d.InputOffset()) - len("<"); got != want {
			t.Fatalf("<%s: %d, want %d: %q", s, got, want, s[:want])
		}
	}
	for kind, n := range kinds {
		if n < 300 {
			t.Errorf("<%s: %d were read: no test", kind, n)
		}
	}
	for _, s := range []string{"!X", "!X '>", "!X <>", "!X <!-- >", "!--->", "![CDATA[]>", "?p >"} { // the end of the text is the end
		if got := skipNonTag([]byte(s)); got != len(s) {
			t.Errorf("<%s: %d, want %d", s, got, len(s))
		}
	}
}
