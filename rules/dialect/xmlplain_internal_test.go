package dialect

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"golang.org/x/tools/txtar"
)

// same reports where two trees differ, which means how they are read and not how they were made.
func same(a, b *etree.Element) string {
	if hasElements(b) {
		b.Child = slices.DeleteFunc(slices.Clone(b.Child), func(t etree.Token) bool {
			c, ok := t.(*etree.CharData)
			return ok && strings.TrimSpace(c.Data) == ""
		})
	}
	if a.Tag != b.Tag || a.Space != b.Space || len(a.Attr) != len(b.Attr) || len(a.Child) != len(b.Child) {
		return a.FullTag() + " against " + b.FullTag()
	}
	for i := range a.Attr {
		if x, y := a.Attr[i], b.Attr[i]; x.Space != y.Space || x.Key != y.Key || x.Value != y.Value {
			return a.FullTag() + ": attribute " + x.FullKey()
		}
	}
	for i := range a.Child {
		switch x := a.Child[i].(type) {
		case *etree.Element:
			y, ok := b.Child[i].(*etree.Element)
			if !ok || x.Parent() != a {
				return a.FullTag() + ": a child of another kind, or parent"
			}
			if d := same(x, y); d != "" {
				return a.FullTag() + "/" + d
			}
		case *etree.CharData:
			y, ok := b.Child[i].(*etree.CharData)
			if !ok || x.Data != y.Data || x.IsCData() != y.IsCData() || x.Parent() != a {
				return a.FullTag() + ": text"
			}
		default:
			return a.FullTag() + ": a child that is not plain"
		}
	}
	return ""
}

// agree: what readPlain builds, etree builds, and finds plain.
func agree(data []byte) string {
	root, ok := readPlain(data)
	if !ok {
		return ""
	}
	x, err := parseAnyXML(data)
	switch {
	case err != nil:
		plain := &xmlDocument{root: root, plain: true}
		if plain.check(root) != nil {
			return "" // refused both ways
		}
		return "only one of the two reads it: " + err.Error()
	case !x.plain:
		return "only one of the two finds it plain"
	}
	return same(root, x.root)
}

// corpusBodies are the bodies of the project's corpus, questions and answers, that hold mark.
func corpusBodies(tb testing.TB, mark string) [][]byte {
	tb.Helper()
	files, err := filepath.Glob("../testdata/corpus/*/*.txtar")
	if err != nil || len(files) < 50 {
		tb.Fatal(len(files), err)
	}
	var all [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for _, section := range txtar.Parse(text).Files {
			if _, body, ok := strings.Cut(string(section.Data), "\n\n"); ok && strings.Contains(body, mark) {
				all = append(all, []byte(strings.TrimSpace(body)))
			}
		}
	}
	return all
}

func FuzzReadPlain(f *testing.F) {
	plain := 0
	for _, body := range corpusBodies(f, "<") {
		if _, ok := readPlain(body); ok {
			plain++
		}
		f.Add(body)
	}
	if plain < 50 {
		f.Fatalf("only %d documents of the corpus are plain: the fast way is no way", plain)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if d := agree(data); d != "" {
			t.Error(d)
		}
	})
}

func TestReadPlain(t *testing.T) {
	for text, want := range map[string]bool{
		"<a/>":                                true,
		"<?xml version=\"1.0\"?>\n<a>b</a>\n": true,
		"<?XML version=\"1.0\"?><a/>":         false,
		"<a xmlns:b=\"c\"><b:d e='f'/></a >":  true,
		"<a>x<b>y</b>z</a>":                   false,
		"<a> <b> </b>\n<c>y</c> </a>":         true,
		"<a></b>":                             false,
		"<a><b></a></b>":                      false,
		"<a/><b/>":                            false,
		"<a/>x":                               false,
		"x<a/>":                               false,
		"<a b=\"1\" b=\"2\"/>":                false,
		"<a b=\"1\"c=\"2\"/>":                 false,
		"<a b = \"1\"/>":                      false,
		"<a>&lt;</a>":                         false,
		"<a>]]></a>":                          false,
		"<a><!-- --></a>":                     false,
		"<a><![CDATA[x]]></a>":                false,
		"<!DOCTYPE a><a/>":                    false,
		"<a:b:c/>":                            false,
		"<:a/>":                               false,
		"<a:/>":                               false,
		"<1a/>":                               false,
		"<a>\x01</a>":                         false,
		"<a>\uffff</a>":                       false,
		"<a>\xff</a>":                         false,
		"<a>ü</a>":                            true,
		"<a":                                  false,
		"<a>":                                 false,
		"<":                                   false,
		"":                                    false,
		strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000): false,
	} {
		if _, got := readPlain([]byte(text)); got != want {
			t.Errorf("%.40q: got %v", text, got)
		}
		if d := agree([]byte(text)); d != "" {
			t.Errorf("%.40q: %s", text, d)
		}
	}
}
