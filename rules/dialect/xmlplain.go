package dialect

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// readPlain builds the tree of a document that says everything in the plainest way, as services' answers do: elements, attributes and text,
// UTF-8, one declaration at most. It takes a fifth of the time that encoding/xml takes. It reports false for whatever else there is, a comment,
// a reference, a carriage return, text beside elements, a mistake; nothing is decided then, and etree reads the document. What it does build is
// what etree builds, but for the white space between elements: FuzzReadPlain holds the two against each other.
func readPlain(data []byte) (*etree.Element, bool) {
	if !utf8.Valid(data) || bytes.ContainsAny(data, "&\r]") || bytes.Contains(data, []byte("\xef\xbf")) { // U+FFFE and U+FFFF are no characters
		return nil, false
	}
	p := &plainReader{text: string(data)}
	p.declaration()
	root := etree.NewElement("")
	if !p.content(root, 0) || len(root.Child) != 1 {
		return nil, false
	}
	p.space()
	e, ok := root.RemoveChildAt(0).(*etree.Element)
	return e, ok && p.text == ""
}

// plainReader has what was not read yet. Names and values of the tree are parts of the text.
type plainReader struct{ text string }

// declarations are the forms in which a declaration is plain. encoding/xml wants version 1.0.
var declarations = []string{
	`<?xml version="1.0" encoding="utf-8"?>`, `<?xml version="1.0"?>`, `<?xml version='1.0' encoding='utf-8'?>`,
	`<?xml version="1.0" encoding="utf-8" ?>`, `<?xml version="1.0" ?>`,
}

func (p *plainReader) declaration() {
	for _, d := range declarations {
		if len(p.text) >= len(d) && strings.EqualFold(p.text[:len(d)], d) && p.text[:len("<?xml version")] == "<?xml version" {
			p.text = p.text[len(d):]
			break
		}
	}
	p.space()
}

// content reads an element's content, up to its end tag: elements, or a text. At the top it is one element.
func (p *plainReader) content(e *etree.Element, depth int) bool {
	if depth > maxDepth {
		return false
	}
	for {
		mark := strings.IndexByte(p.text, '<')
		if mark < 0 || len(p.text) < mark+2 || hasControl(p.text[:mark]) {
			return false
		}
		text := p.text[:mark]
		p.text = p.text[mark:]
		if p.text[1] == '/' {
			if text != "" && len(e.Child) == 0 {
				e.CreateText(text)
			} else if !blank(text) {
				return false
			}
			return depth > 0 && p.endTag(e)
		}
		if !blank(text) {
			return false
		}
		if !p.element(e, depth) {
			return false
		}
		if depth == 0 {
			return true
		}
	}
}

// element reads a start tag and what belongs to it.
func (p *plainReader) element(parent *etree.Element, depth int) bool {
	p.text = p.text[1:]
	name, ok := p.name()
	if !ok {
		return false
	}
	e := parent.CreateElement(name)
	for {
		spaces := len(p.text)
		p.space()
		spaces -= len(p.text)
		switch {
		case p.text == "":
			return false
		case p.text[0] == '>':
			p.text = p.text[1:]
			return p.content(e, depth+1)
		case strings.HasPrefix(p.text, "/>"):
			p.text = p.text[2:]
			return depth < maxDepth
		case spaces == 0 || !p.attribute(e):
			return false
		}
	}
}

func (p *plainReader) attribute(e *etree.Element) bool {
	name, ok := p.name()
	if !ok || len(p.text) < 2 || p.text[0] != '=' || p.text[1] != '"' && p.text[1] != '\'' {
		return false
	}
	quote := p.text[1]
	p.text = p.text[2:]
	end := strings.IndexByte(p.text, quote)
	if end < 0 || strings.IndexByte(p.text[:end], '<') >= 0 || hasControl(p.text[:end]) || len(e.Attr) >= maxAttributes {
		return false
	}
	before := len(e.Attr)
	e.CreateAttr(name, p.text[:end])
	p.text = p.text[end+1:]
	return len(e.Attr) == before+1 // else it stood twice
}

func (p *plainReader) endTag(e *etree.Element) bool {
	rest := p.text[2:]
	name := e.FullTag()
	if !strings.HasPrefix(rest, name) {
		return false
	}
	p.text = rest[len(name):]
	p.space()
	if p.text == "" || p.text[0] != '>' {
		return false
	}
	p.text = p.text[1:]
	return true
}

// name reads a name of ASCII letters, with one prefix at most.
func (p *plainReader) name() (string, bool) {
	end, colon := 0, -1
	for ; end < len(p.text); end++ {
		c := p.text[end]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		case c >= '0' && c <= '9', c == '-', c == '.':
			if end == 0 || end == colon+1 {
				return "", false
			}
		case c == ':':
			if colon >= 0 || end == 0 {
				return "", false
			}
			colon = end
		default:
			name := p.text[:end]
			p.text = p.text[end:]
			return name, end > 0 && colon != end-1
		}
	}
	return "", false
}

func (p *plainReader) space() { p.text = strings.TrimLeft(p.text, " \t\n") }

func blank(s string) bool { return strings.TrimLeft(s, " \t\n") == "" }

// hasControl reports whether a text holds a character that XML does not know; a tab and a line feed it does.
func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' && s[i] != '\n' {
			return true
		}
	}
	return false
}
