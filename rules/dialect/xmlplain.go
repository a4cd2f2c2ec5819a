package dialect

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// readPlainXML builds the tree of a document that says everything in the plainest way, as services' answers do: elements, attributes and text,
// the five references that need no declaration, UTF-8, one declaration at most. It takes a fifth of the time that encoding/xml takes. It reports false for whatever else
// there is, a comment, a number for a character, a carriage return in a text, text beside elements, a mistake; nothing is decided then, and etree reads the document. What it does build is
// what etree builds, but for the white space between elements: FuzzReadPlainXML holds the two against each other.
//
// Freeing the document gives its arena to the next one.
func readPlainXML(data []byte) (*xmlDocument, bool) {
	if bytes.IndexByte(data, ']') >= 0 || !utf8.Valid(data) || bytes.Contains(data, []byte("\xef\xbf")) { // U+FFFE and U+FFFF are no characters
		return nil, false
	}
	tags := bytes.Count(data, []byte("<"))
	if tags > 2*maxNodes+1 || bytes.Count(data, []byte("=")) > maxNodes {
		return nil, false
	}
	p := plainXML{text: string(data), left: tags, arena: takeXMLArena(tags), hasReferences: bytes.IndexByte(data, '&') >= 0}
	p.declaration()
	if p.element(0) {
		p.space()
		if root, ok := p.arena.open[0].(*etree.Element); ok && p.text == "" {
			return &xmlDocument{root: root, plain: true, elements: p.elements, arena: p.arena}, true
		}
	}
	p.arena.free()
	return nil, false
}

// plainXML has what was not read yet. Names and values of the tree are parts of the text, and its nodes lie in the arena.
type plainXML struct {
	text          string
	left          int // tags that were not read yet, at most
	elements      int // that were read
	arena         *xmlArena
	hasReferences bool // there are references somewhere
}

// declarations are the forms in which a declaration is plain. encoding/xml wants version 1.0.
var declarations = []string{
	`<?xml version="1.0" encoding="utf-8"?>`, `<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version="1.0"?>`, `<?xml version='1.0' encoding='utf-8'?>`,
	`<?xml version='1.0' encoding='UTF-8'?>`, `<?xml version="1.0" encoding="utf-8" ?>`, `<?xml version="1.0" encoding="UTF-8" ?>`, `<?xml version="1.0" ?>`,
}

func (p *plainXML) declaration() {
	for _, d := range declarations {
		if rest, ok := strings.CutPrefix(p.text, d); ok {
			p.text = rest
			break
		}
	}
	p.space()
}

// element reads a start tag and what belongs to it. A declaration may stand before it, a text may not.
func (p *plainXML) element(depth int) bool {
	if depth > maxDepth || p.text == "" || p.text[0] != '<' {
		return false
	}
	p.text = p.text[1:]
	name, ok := p.name()
	if p.elements++; !ok || len(name) > maxName || p.elements > maxNodes {
		return false
	}
	e := p.arena.element(p.left)
	p.left--
	e.Tag = name
	if prefix, local, ok := strings.Cut(name, ":"); ok {
		e.Space, e.Tag = prefix, local
	}
	for {
		before := len(p.text)
		p.space()
		apart := len(p.text) < before
		switch {
		case p.text == "":
			return false
		case p.text[0] == '>':
			p.text = p.text[1:]
			mark := len(p.arena.open)
			if !p.content(name, depth) {
				return false
			}
			p.arena.adopt(e, mark, p.left)
			return true
		case strings.HasPrefix(p.text, "/>"):
			p.text = p.text[2:]
			p.arena.open = append(p.arena.open, e)
			return true
		case !apart || !p.attribute(e):
			return false
		}
	}
}

// content reads what stands between an element's tags, and its end tag: elements, or a text.
func (p *plainXML) content(name string, depth int) bool {
	for first := true; ; first = false {
		mark := strings.IndexByte(p.text, '<')
		if mark < 0 || len(p.text) < mark+2 {
			return false
		}
		text := p.text[:mark]
		p.text = p.text[mark:]
		if p.text[1] != '/' {
			if !blank(text) || !p.element(depth+1) {
				return false
			}
			continue
		}
		switch {
		case text == "":
		case !first:
			if !blank(text) {
				return false
			}
		case hasControl(text):
			return false
		case blank(text): // etree marks such text as white space
			p.arena.open = append(p.arena.open, etree.NewText(text))
		default:
			value, ok := p.resolveReferences(text)
			if !ok {
				return false
			}
			p.arena.open = append(p.arena.open, p.arena.text(value, p.left))
		}
		return p.endTag(name)
	}
}

func (p *plainXML) attribute(e *etree.Element) bool {
	name, ok := p.name()
	if !ok || len(name) > maxName || len(p.text) < 2 || p.text[0] != '=' || p.text[1] != '"' && p.text[1] != '\'' {
		return false
	}
	quote := p.text[1]
	p.text = p.text[2:]
	end := strings.IndexByte(p.text, quote)
	if end < 0 || strings.IndexByte(p.text[:end], '<') >= 0 || hasControl(p.text[:end]) || len(e.Attr) >= maxAttributes {
		return false
	}
	value, ok := p.resolveReferences(p.text[:end])
	before := len(e.Attr)
	e.CreateAttr(name, value)
	p.text = p.text[end+1:]
	return ok && len(e.Attr) == before+1 // else it stood twice
}

// references are those that need no declaration (XML 1.0, section 4.6), without their sign.
var references = [...]string{"amp;", "lt;", "gt;", "quot;", "apos;"}

var dereference = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'")

// resolveReferences is a text with what its references stand for. It reports false where there are others than those.
func (p *plainXML) resolveReferences(s string) (string, bool) {
	if !p.hasReferences {
		return s, true
	}
	rest := s
	for {
		i := strings.IndexByte(rest, '&')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
		if !slices.ContainsFunc(references[:], func(r string) bool { return strings.HasPrefix(rest, r) }) {
			return "", false
		}
	}
	if len(rest) == len(s) {
		return s, true
	}
	return dereference.Replace(s), true
}

func (p *plainXML) endTag(name string) bool {
	rest := p.text[2:]
	if !strings.HasPrefix(rest, name) {
		return false
	}
	p.text = rest[len(name):]
	p.left--
	p.space()
	if p.text == "" || p.text[0] != '>' {
		return false
	}
	p.text = p.text[1:]
	return true
}

// name reads a name of ASCII letters, with one prefix at most.
func (p *plainXML) name() (string, bool) {
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

func (p *plainXML) space() { p.text = p.text[spaces(p.text):] }

func blank(s string) bool { return spaces(s) == len(s) }

// spaces is how many bytes of white space a text begins with.
func spaces(s string) int {
	n := 0
	for n < len(s) && (s[n] == ' ' || s[n] == '\n' || s[n] == '\r' || s[n] == '\t') {
		n++
	}
	return n
}

// hasControl reports whether a text holds a character that XML does not know, or a carriage return, which reads otherwise; a tab and a line feed it may hold.
func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' && s[i] != '\n' {
			return true
		}
	}
	return false
}
