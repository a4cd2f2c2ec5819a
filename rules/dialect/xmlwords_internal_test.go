package dialect

import (
	"bytes"
	"encoding/xml"
	"io"
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

// TestShortTags_hidesNoTag: only the attributes of long tags are missed by who reads a text, however that puts them.
func TestShortTags_hidesNoTag(t *testing.T) {
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
	} {
		short := shortTags([]byte(text))
		want, _ := tags([]byte(text))
		if got, most := tags(short); strings.Join(got, "|") != strings.Join(want, "|") || most > maxWords {
			t.Errorf("%.30s…%s: %.100q with up to %d attributes, want %.100q", text, text[len(text)-20:], got, most, want)
		}
	}
}
