package dialect

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// readPlainJSON builds the tree of a document that says everything in the plainest way, as services' answers do: no escapes in strings, no name
// twice. It takes half the time that jsontext takes, and an eighth of the allocations. It reports false for whatever else there is, and for every mistake; nothing is
// decided then, and readJSON goes on with jsontext. What it does build is what jsontext gives: FuzzReadPlainJSON holds the two against each other.
//
// Freeing the document gives its arena to the next one.
func readPlainJSON(data []byte) (jsonDocument, bool) {
	if len(data) > maxPlain || bytes.IndexByte(data, '\\') >= 0 || !utf8.Valid(data) {
		return jsonDocument{}, false
	}
	// Every value but the first of an object or array stands behind a comma; commas in strings make the estimate too high.
	values := 1 + bytes.Count(data, []byte(",")) + bytes.Count(data, []byte("{")) + bytes.Count(data, []byte("["))
	if values > maxNodes {
		return jsonDocument{}, false
	}
	p := &plainJSON{text: string(data), arena: takeJSONArena(values)}
	p.space()
	root := p.value(0)
	if p.space(); root == nil || p.text != "" {
		p.arena.free()
		return jsonDocument{}, false
	}
	return jsonDocument{root, p.arena}, true
}

// maxPlain bounds what is tried in the plain way: real answers have 1 to 30 KB, and what is not plain after all is read twice.
const maxPlain = 64 << 10

// plainJSON has what was not read yet. Names and values of the tree are parts of the text, and its nodes lie in the arena.
type plainJSON struct {
	text  string
	arena *jsonArena
}

// value reads a value, with the space in front of it read already; nil where it is not plain.
func (p *plainJSON) value(depth int) *jsonNode {
	if p.text == "" || depth > maxDepth {
		return nil
	}
	n := p.arena.node()
	if n == nil {
		return nil
	}
	ok := false
	switch c := p.text[0]; c {
	case '{':
		n.kind = jsontext.KindBeginObject
		ok = p.object(n, depth)
	case '[':
		n.kind = jsontext.KindBeginArray
		ok = p.array(n, depth)
	case '"':
		n.kind = jsontext.KindString
		n.text, ok = p.string()
	case 't', 'f', 'n':
		n.kind = jsontext.Kind(c)
		n.text, ok = p.literal()
	default:
		n.kind = jsontext.KindNumber
		n.text, ok = p.number()
	}
	if !ok {
		return nil
	}
	return n
}

func (p *plainJSON) object(n *jsonNode, depth int) bool {
	mark := len(p.arena.openMembers)
	ok := p.list('}', func() bool {
		name, ok := p.string()
		if !ok || len(name) > maxName {
			return false
		}
		for _, m := range p.arena.openMembers[mark:] {
			if strings.EqualFold(m.name, name) {
				return false
			}
		}
		if p.space(); !p.next(':') {
			return false
		}
		p.space()
		value := p.value(depth + 1)
		p.arena.openMembers = append(p.arena.openMembers, jsonMember{name, value})
		return value != nil && len(p.arena.openMembers)-mark <= fewMembers
	})
	p.arena.adoptMembers(n, mark)
	return ok
}

func (p *plainJSON) array(n *jsonNode, depth int) bool {
	mark := len(p.arena.openItems)
	ok := p.list(']', func() bool {
		item := p.value(depth + 1)
		p.arena.openItems = append(p.arena.openItems, item)
		return item != nil
	})
	p.arena.adoptItems(n, mark)
	return ok
}

// list reads what stands between brackets, the closing one included.
func (p *plainJSON) list(closing byte, element func() bool) bool {
	p.text = p.text[1:]
	if p.space(); p.next(closing) {
		return true
	}
	for {
		if p.space(); !element() {
			return false
		}
		p.space()
		if p.next(closing) {
			return true
		}
		if !p.next(',') {
			return false
		}
	}
}

func (p *plainJSON) string() (string, bool) {
	if !p.next('"') {
		return "", false
	}
	end := strings.IndexByte(p.text, '"')
	if end < 0 {
		return "", false
	}
	s := p.text[:end]
	p.text = p.text[end+1:]
	for i := range len(s) {
		if s[i] < ' ' {
			return "", false
		}
	}
	return s, true
}

func (p *plainJSON) literal() (string, bool) {
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(p.text, word) {
			p.text = p.text[len(word):]
			return word, true
		}
	}
	return "", false
}

// number reads a whole number without an exponent: ports are nothing else.
func (p *plainJSON) number() (string, bool) {
	end := 0
	for end < len(p.text) && p.text[end] >= '0' && p.text[end] <= '9' {
		end++
	}
	if end == 0 || end > 1 && p.text[0] == '0' || end < len(p.text) && strings.IndexByte(".eE", p.text[end]) >= 0 {
		return "", false
	}
	digits := p.text[:end]
	p.text = p.text[end:]
	return digits, true
}

func (p *plainJSON) next(c byte) bool {
	if p.text == "" || p.text[0] != c {
		return false
	}
	p.text = p.text[1:]
	return true
}

func (p *plainJSON) space() {
	for p.text != "" && (p.text[0] == ' ' || p.text[0] == '\n' || p.text[0] == '\t' || p.text[0] == '\r') {
		p.text = p.text[1:]
	}
}
