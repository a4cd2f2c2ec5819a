package dialect

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// readPlainJSON builds the tree of a document that says everything in the plainest way, as services' answers do: no escapes in strings, no name
// twice. It takes half the time that jsontext takes, and an eighth of the allocations. It reports false for whatever else there is, and for every mistake; nothing is
// decided then, and parseJSON goes on with jsontext. What it does build is what jsontext gives: FuzzReadPlainJSON holds the two against each other.
func readPlainJSON(data []byte) (*jsonNode, bool) {
	if len(data) > maxPlain || bytes.IndexByte(data, '\\') >= 0 || !utf8.Valid(data) {
		return nil, false
	}
	// Every value but the first of an object or array stands behind a comma; commas in strings make for some room too many.
	values := 1 + bytes.Count(data, []byte(",")) + bytes.Count(data, []byte("{")) + bytes.Count(data, []byte("["))
	if values > maxNodes {
		return nil, false
	}
	p := &plainJSON{text: string(data), nodes: make([]jsonNode, values), members: make([]jsonMember, 0, min(values, fewMembers))}
	p.space()
	root := p.value(0)
	p.space()
	return root, root != nil && p.text == ""
}

// maxPlain bounds what is tried in the plain way: real answers have 1 to 30 KB, and what is not plain after all is read twice.
const maxPlain = 64 << 10

// plainJSON has what was not read yet. Names and values of the tree are parts of the text.
type plainJSON struct {
	text  string
	nodes []jsonNode // not given out yet
	// members and items are of the objects and arrays around what is read.
	members []jsonMember
	items   []*jsonNode
}

// value reads a value, with the space in front of it read already; nil where it is not plain.
func (p *plainJSON) value(depth int) *jsonNode {
	if p.text == "" || len(p.nodes) == 0 || depth > maxDepth {
		return nil
	}
	n := &p.nodes[0]
	p.nodes = p.nodes[1:]
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
	mark := len(p.members)
	ok := p.list('}', func() bool {
		name, ok := p.string()
		if !ok || len(name) > maxName {
			return false
		}
		for _, m := range p.members[mark:] {
			if strings.EqualFold(m.name, name) {
				return false
			}
		}
		if p.space(); !p.next(':') {
			return false
		}
		p.space()
		value := p.value(depth + 1)
		p.members = append(p.members, jsonMember{name, value})
		return value != nil && len(p.members)-mark <= fewMembers
	})
	n.members = append(n.members, p.members[mark:]...)
	p.members = p.members[:mark]
	return ok
}

func (p *plainJSON) array(n *jsonNode, depth int) bool {
	mark := len(p.items)
	ok := p.list(']', func() bool {
		item := p.value(depth + 1)
		p.items = append(p.items, item)
		return item != nil
	})
	n.items = append(n.items, p.items[mark:]...)
	p.items = p.items[:mark]
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
