package dialect

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/beevik/etree"
)

// plistKind is the type of a value in a property list.
type plistKind uint8

const (
	_ plistKind = iota
	plistDict
	plistArray
	plistString
	plistInteger
	plistOther // true, false, real, date, data: kept as they stand
)

// plistNode is one value of a property list, XML or binary.
type plistNode struct {
	kind  plistKind
	text  string   // of a string or integer
	keys  []string // of a dict, in order
	items []*plistNode
	// element is where the value stands in an XML list; nil in a binary one.
	element *etree.Element
}

// child is the value of a dict's key, nil where there is none.
func (n *plistNode) child(key string) *plistNode {
	if n == nil || n.kind != plistDict {
		return nil
	}
	for i, k := range n.keys {
		if k == key {
			return n.items[i]
		}
	}
	return nil
}

// string is the text of a string or integer.
func (n *plistNode) string() string {
	if n == nil {
		return ""
	}
	return n.text
}

// appendTexts adds all strings and keys, between the tags of an XML list and otherwise as they are.
func (n *plistNode) appendTexts(b []byte) []byte {
	if n.kind == plistString {
		b = append(append(append(b, "<string>"...), n.text...), "</string>"...)
	}
	for i, item := range n.items {
		if n.kind == plistDict {
			b = append(append(append(b, "<key>"...), n.keys[i]...), "</key>"...)
		}
		b = item.appendTexts(b)
	}
	return b
}

// plistDoctype is the one DOCTYPE that a property list may have: Apple's own, without an internal subset, so without entities. The DTD that
// it names is never fetched. Apple has called itself by three names there; the samples of its profile reference say Apple Inc. It stands in front of the root, if at all.
var plistDoctype = regexp.MustCompile(`<!DOCTYPE\s+plist\s+PUBLIC\s+"-//Apple( Computer| Inc)?//DTD PLIST 1\.0//EN"\s+"https?://www\.apple\.com/DTDs/PropertyList-1\.0\.dtd"\s*>`)

// parsePlist reads an XML property list.
func parsePlist(t text) (*xmlDocument, *plistNode, error) {
	if at := plistDoctype.FindIndex(t.data); at != nil && nextTag(t.data[:at[0]], 0) < 0 {
		t.data = append(append([]byte(nil), t.data[:at[0]]...), t.data[at[1]:]...)
	}
	x, err := parseXML(t)
	if err != nil {
		return nil, nil, err
	}
	if !is(x.root, "plist") {
		return nil, nil, fmt.Errorf("%w: no property list", ErrNoSettings)
	}
	children := x.root.ChildElements()
	if len(children) != 1 {
		return nil, nil, fmt.Errorf("%w: a property list with %d values", ErrUnreadable, len(children))
	}
	root, err := plistValue(children[0])
	return x, root, err
}

func plistValue(e *etree.Element) (*plistNode, error) {
	n := &plistNode{kind: plistOther, element: e}
	switch e.Tag {
	case "dict":
		n.kind = plistDict
		return n, n.dict(e)
	case "array":
		n.kind = plistArray
		for c := range e.ChildElementsSeq() {
			item, err := plistValue(c)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		return n, nil
	case "string":
		n.kind = plistString
	case "integer":
		n.kind = plistInteger
	case "true", "false", "real", "date", "data":
		return n, nil
	default:
		return nil, fmt.Errorf("%w: a property list with an unknown type", ErrUnreadable)
	}
	if hasElements(e) {
		return nil, fmt.Errorf("%w: elements inside a property list's string", ErrUnreadable)
	}
	n.text = strings.TrimSpace(elementText(e))
	return n, nil
}

// dict reads keys and values in turn. A key that stands twice means one thing to one parser and another to the next.
func (n *plistNode) dict(e *etree.Element) error {
	children := e.ChildElements()
	if len(children)%2 != 0 {
		return fmt.Errorf("%w: a property list's key without a value", ErrUnreadable)
	}
	for i := 0; i < len(children); i += 2 {
		if children[i].Tag != "key" || hasElements(children[i]) {
			return fmt.Errorf("%w: a property list's value without a key", ErrUnreadable)
		}
		key := strings.TrimSpace(elementText(children[i]))
		if n.child(key) != nil {
			return fmt.Errorf("%w: a property list's key stands twice", ErrUnreadable)
		}
		value, err := plistValue(children[i+1])
		if err != nil {
			return err
		}
		n.keys, n.items = append(n.keys, key), append(n.items, value)
	}
	return nil
}
