package dialect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of one document. Real answers have 1 to 30 KB, a few hundred elements and a depth below ten; the bounds are generous and keep
// the cost of a hostile one small.
const (
	maxDepth = 64
	maxNodes = 5_000
	// maxName bounds the name of an element or member: names add up in the paths of suggestions.
	maxName = 128
)

// jsonNode is one value of a JSON document. Order, number spelling and unknown members survive a round trip.
type jsonNode struct {
	kind    jsontext.Kind
	left    bool         // see stay
	text    string       // of a string, decoded; of any other scalar, as written
	members []jsonMember // of an object
	items   []*jsonNode  // of an array
}

type jsonMember struct {
	name  string
	value *jsonNode
}

// jsonDocument is what one JSON text holds.
type jsonDocument struct {
	root *jsonNode
	// arena is where the nodes lie; nil where each lies for itself.
	arena *jsonArena
}

// document is what was found in x, for Read to return. The caller adds how it is edited.
func (x jsonDocument) document(t text, found []Suggestion, about []Subject) *Document {
	return &Document{Suggestions: found, Subjects: about, Plain: strings.Contains(t.mediaType, "json"), arena: x.arena}
}

// object reports whether the document is one.
func (x jsonDocument) object() bool { return x.root.kind == jsontext.KindBeginObject }

// readJSON reads exactly one JSON value (RFC 8259). Duplicate member names, also such that differ by case alone, are an error: one
// client takes the first, the next one the last, so nobody can say what the document means.
func readJSON(data []byte) (jsonDocument, error) {
	if x, ok := readPlainJSON(data); ok {
		return x, nil
	}
	root, err := parseAnyJSON(data)
	return jsonDocument{root: root}, err
}

// readJSONObject is readJSON for a dialect whose documents are objects.
func readJSONObject(data []byte) (jsonDocument, error) {
	x, err := readJSON(data)
	if err == nil && !x.object() {
		x.free()
		return jsonDocument{}, fmt.Errorf("%w: JSON without an object", ErrNoSettings)
	}
	return x, err
}

// free gives the document's nodes back. Texts that were taken from them stay.
func (x jsonDocument) free() { x.arena.free() }

// parseAnyJSON is readJSON for a document of any form.
func parseAnyJSON(data []byte) (*jsonNode, error) {
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true)) // object looks for them, and for more
	p := jsonParser{decoder: d}
	root, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more than one JSON value", ErrUnreadable)
	}
	return root, nil
}

type jsonParser struct {
	decoder *jsontext.Decoder
	nodes   int
}

func (p *jsonParser) value(depth int) (*jsonNode, error) {
	if p.nodes++; p.nodes > maxNodes || depth > maxDepth {
		return nil, fmt.Errorf("%w: JSON beyond %d values or %d levels", ErrUnreadable, maxNodes, maxDepth)
	}
	t, err := p.decoder.ReadToken()
	if err != nil {
		return nil, jsonError(err)
	}
	n := &jsonNode{kind: t.Kind()}
	switch n.kind {
	case jsontext.KindBeginObject:
		return n, p.object(n, depth)
	case jsontext.KindBeginArray:
		return n, p.array(n, depth)
	default:
		n.text = t.String()
		return n, nil
	}
}

func (p *jsonParser) object(n *jsonNode, depth int) error {
	var seen memberNames
	for p.decoder.PeekKind() != jsontext.KindEndObject {
		name, err := p.decoder.ReadToken()
		if err != nil {
			return jsonError(err)
		}
		m := jsonMember{name: name.String()}
		if len(m.name) > maxName {
			return fmt.Errorf("%w: a JSON member's name is longer than %d bytes", ErrUnreadable, maxName)
		}
		if seen.have(n.members, m.name) {
			return fmt.Errorf("%w: a JSON member stands twice", ErrUnreadable)
		}
		if m.value, err = p.value(depth + 1); err != nil {
			return err
		}
		n.members = append(n.members, m)
	}
	_, err := p.decoder.ReadToken()
	return jsonError(err)
}

// memberNames finds names that stand twice in an object, without regard to case.
type memberNames map[string]struct{}

// fewMembers is how many members are looked through one by one, which costs no memory. Real objects have fewer.
const fewMembers = 16

// have reports whether one of the members that were read has the name; if none has, it is the next one's.
func (names *memberNames) have(members []jsonMember, name string) bool {
	if len(members) < fewMembers {
		for _, m := range members {
			if strings.EqualFold(m.name, name) {
				return true
			}
		}
		return false
	}
	if *names == nil {
		*names = make(memberNames, 2*fewMembers)
		for _, m := range members {
			(*names)[folded(m.name)] = struct{}{}
		}
	}
	key := folded(name)
	_, twice := (*names)[key]
	(*names)[key] = struct{}{}
	return twice
}

// folded is the same for names that are equal under strings.EqualFold: some letters have two forms in lower case.
func folded(name string) string {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return strings.ToLower(strings.ToUpper(name))
		}
	}
	return strings.ToLower(name)
}

func (p *jsonParser) array(n *jsonNode, depth int) error {
	for p.decoder.PeekKind() != jsontext.KindEndArray {
		item, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	_, err := p.decoder.ReadToken()
	return jsonError(err)
}

// jsonError hides the decoder's own text, which quotes the input.
func jsonError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: not valid JSON", ErrUnreadable)
}

// member finds a member by name without regard to case; nil where there is none.
func (n *jsonNode) member(name string) *jsonNode {
	if n == nil {
		return nil
	}
	for _, m := range n.members {
		if strings.EqualFold(m.name, name) {
			return m.value
		}
	}
	return nil
}

// string is the text of a string or number, and "" of everything else.
func (n *jsonNode) string() string {
	if n != nil && (n.kind == jsontext.KindString || n.kind == jsontext.KindNumber) {
		return n.text
	}
	return ""
}

// list is the items of an array, nil of everything else.
func (n *jsonNode) list() []*jsonNode {
	if n == nil {
		return nil
	}
	return n.items
}

// set gives a scalar a new value; a number stays a number where the value allows it.
func (n *jsonNode) set(value string) {
	if n.kind == jsontext.KindNumber {
		if _, err := strconv.ParseUint(value, 10, 32); err == nil {
			n.text = value
			return
		}
	}
	n.kind, n.text = jsontext.KindString, value
}

// write is an answer with the tree, on one line.
func (n *jsonNode) write(mediaType string) (Answer, error) {
	var out bytes.Buffer
	e := jsontext.NewEncoder(&out)
	if err := n.encode(e); err != nil {
		return Answer{}, fmt.Errorf("%w: writing JSON", ErrUnreadable)
	}
	return composed(mediaType, string(bytes.TrimRight(out.Bytes(), "\n"))), nil
}

func (n *jsonNode) encode(e *jsontext.Encoder) error {
	switch n.kind {
	case jsontext.KindBeginObject:
		return n.encodeObject(e)
	case jsontext.KindBeginArray:
		if err := e.WriteToken(jsontext.BeginArray); err != nil {
			return err
		}
		for _, item := range n.items {
			if err := item.encode(e); err != nil {
				return err
			}
		}
		return e.WriteToken(jsontext.EndArray)
	case jsontext.KindString:
		return e.WriteToken(jsontext.String(n.text))
	default:
		return e.WriteValue(jsontext.Value(n.text))
	}
}

func (n *jsonNode) encodeObject(e *jsontext.Encoder) error {
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, m := range n.members {
		if err := e.WriteToken(jsontext.String(m.name)); err != nil {
			return err
		}
		if err := m.value.encode(e); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

// pathBelow is the JSON pointer to what is called name in what stands at path; see maxPath.
func pathBelow(path, name string) string {
	if len(path) > maxPath {
		path = path[:maxPath] + "…"
	}
	if len(name) > maxPath {
		name = name[:maxPath] + "…"
	}
	return path + "/" + pointerToken(name)
}

// pointerToken escapes a member name for a JSON pointer (RFC 6901, section 3).
func pointerToken(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func jsonObject(members ...jsonMember) *jsonNode {
	return &jsonNode{kind: jsontext.KindBeginObject, members: members}
}

func jsonText(s string) *jsonNode { return &jsonNode{kind: jsontext.KindString, text: s} }

func jsonNumber(n int) *jsonNode { return &jsonNode{kind: jsontext.KindNumber, text: strconv.Itoa(n)} }

func jsonTrue() *jsonNode { return &jsonNode{kind: jsontext.KindTrue, text: "true"} }

func jsonFalse() *jsonNode { return &jsonNode{kind: jsontext.KindFalse, text: "false"} }
