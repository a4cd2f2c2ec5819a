package dialect

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
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

// agree: what readPlainXML builds, etree builds, and finds plain.
func agree(data []byte) string {
	p, ok := readPlainXML(data)
	if !ok {
		return ""
	}
	defer p.free()
	x, err := parseAnyXML(data)
	switch {
	case err != nil:
		return "only one of the two reads it: " + err.Error()
	case !x.plain:
		return "only one of the two finds it plain"
	case p.elements != x.elements:
		return fmt.Sprintf("%d elements against %d", p.elements, x.elements)
	}
	return same(p.root, x.root)
}

func FuzzReadPlainXML(f *testing.F) {
	fuzzPlain(f, "<", 300, func(data []byte) bool { _, ok := readPlainXML(data); return ok }, agree)
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
		"<a b\"1\"/>":                         false,
		"<a b-\"1\"/>":                        false,
		"<a b=1/>":                            false,
		"<a b=c1c/>":                          false,
		"<a b/>":                              false,
		"<a b=":                               false,
		"<a b='1/>":                           false,
		"<a b='1'":                            false,
		"<a =\"1\"/>":                         false,
		"<a b='<'/>":                          false,
		"<a>x<b/></a>":                        false,
		"<a><b/>x</a>":                        false,
		"<a " + strings.Repeat("b", maxName+1) + "=''/>": false,
		"<" + strings.Repeat("a", maxName+1) + "/>":      false,
		"<" + strings.Repeat("a", maxName) + "/>":        true,
		"<a>&lt;&amp;lt;&gt;&quot;</a>":                  true,
		"<a b='x&amp;y&quot;&apos;'/>":                   true,
		"<a b='&'/>":                                     false,
		"<a>&amp</a>":                                    false,
		"<a>&amp;&#46;</a>":                              false,
		"<a>&AMP;</a>":                                   false,
		"<a>\r\n<b\rc='d'>e</b\r>\r\n</a>\r":             true,
		"<a>b\r\nc</a>":                                  false,
		"<a>\r\n</a>":                                    false,
		"<a b='\r\n'/>":                                  false,
		"<a> \x01<b/></a>":                               false,
		"<a>]]></a>":                                     false,
		"<a><!-- --></a>":                                false,
		"<a><![CDATA[x]]></a>":                           false,
		"<!DOCTYPE a><a/>":                               false,
		"<a:b:c/>":                                       false,
		"<:a/>":                                          false,
		"<a:/>":                                          false,
		"<1a/>":                                          false,
		"<a>\x01</a>":                                    false,
		"<a>\uffff</a>":                                  false,
		"<a>\xff</a>":                                    false,
		"<a>ü</a>":                                       true,
		"<a":                                             false,
		"<a>":                                            false,
		"<":                                              false,
		"":                                               false,
		strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000): false,
	} {
		if _, got := readPlainXML([]byte(text)); got != want {
			t.Errorf("%.40q: got %v", text, got)
		}
		if d := agree([]byte(text)); d != "" {
			t.Errorf("%.40q: %s", text, d)
		}
	}
}

// TestParseXML_bounds: what is counted, in both ways of reading, and that it may be as much as is said.
func TestParseXML_bounds(t *testing.T) {
	times := func(n int, text string) string { return strings.Repeat(text, n) }
	numbered := func(n int, form string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, form, i)
		}
		return b.String()
	}
	const wide = 50
	full := times(maxNodes/wide, "<a "+numbered(wide, `b%d="c" `)+"/>")
	for name, c := range map[string]struct {
		inside string // of the root, which is one element without attributes
		want   bool
	}{
		"as many elements":             {times(maxNodes-1, "<a/>"), true},
		"one more":                     {times(maxNodes, "<a/>"), false},
		"as many attributes":           {full, true},
		"one attribute more":           {full + `<a b="c"/>`, false},
		"names of namespaces":          {full + "<a " + numbered(wide, `xmlns:b%d="c" `) + "/>", true},
		"as many attributes of one":    {"<a " + numbered(maxAttributes, `b%d="c" `) + "/>", true},
		"one attribute more of one":    {"<a " + numbered(maxAttributes+1, `b%d="c" `) + "/>", false},
		"namespaces of one":            {"<a " + numbered(maxAttributes+1, `xmlns:b%d="c" `) + "/>", false},
		"equals signs in text":         {"<a>" + times(9*maxNodes, "=") + "</a>", true},
		"equals signs in a tag":        {`<a b="` + times(16*maxAttributes-1, "=") + `"/>`, true},
		"too many equals signs in one": {`<!-- only of what readPlain does not read --><a b="` + times(16*maxAttributes, "=") + `"/>`, false},
	} {
		for _, comment := range []string{"", "<!-- c -->"} {
			if _, err := parseXML(text{data: []byte("<r>" + comment + c.inside + "</r>")}); (err == nil) != c.want {
				t.Errorf("%s%s: %v", comment, name, err)
			}
		}
	}
}
