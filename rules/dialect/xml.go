package dialect

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// maxAttributes bounds the attributes of one element.
const maxAttributes = 64

// xmlDocument is a well-formed XML document with exactly one root and no DOCTYPE.
type xmlDocument struct {
	root *etree.Element
	// plain: well-formed to everybody, and no comments, CDATA or processing instructions anywhere, so that all parsers see the same text.
	plain bool
	// elements and attributes count them, but for names of namespaces.
	elements, attributes int
	// arena is where the nodes lie; nil where each lies for itself.
	arena *xmlArena
}

// document is what was found in x, for Read to return. The caller adds how it is edited.
func (x *xmlDocument) document(t text, found []Suggestion, about []Subject) *Document {
	return &Document{Suggestions: found, Subjects: about, Plain: x.plain && strings.Contains(t.mediaType, "xml"), arena: x.arena}
}

// free gives the document's nodes back. Texts that were taken from them stay.
func (x *xmlDocument) free() {
	x.arena.free()
	*x = xmlDocument{}
}

// parseXML reads a decoded document. etree on top of encoding/xml accepts what is no document at all (no root, two roots, text beside the
// root) and an unlimited number of elements, so this checks what is missing. A DOCTYPE is refused: it can define entities, which the
// client's parser may expand and ours does not.
func parseXML(t text) (*xmlDocument, error) {
	data := bytes.TrimLeft(t.data, " \t\r\n")
	inFront := len(data) == len(t.data) || !beginsDeclared(data) // behind a line feed, a declaration is none
	if x, ok := readPlainXML(data); ok {
		x.plain = inFront
		return x, nil
	}
	if err := scanXML(data); err != nil {
		return nil, err
	}
	x, err := parseAnyXML(data)
	if err == nil {
		x.plain = x.plain && inFront
	}
	return x, err
}

// parseAnyXML is parseXML for a document of any form.
func parseAnyXML(data []byte) (*xmlDocument, error) {
	d := etree.NewDocument()
	d.ReadSettings = etree.ReadSettings{
		// The text is UTF-8 already, whatever its declaration says.
		CharsetReader:          sameReader,
		PreserveCData:          bytes.Contains(data, []byte("<![CDATA[")), // to look out for it costs a quarter of the reading
		PreserveDuplicateAttrs: true,
		MaxDepth:               maxDepth,
	}
	if err := d.ReadFromBytes(data); err != nil {
		return nil, fmt.Errorf("%w: not well-formed XML", ErrUnreadable) // the parser's own text quotes the input
	}
	x := &xmlDocument{plain: wellFormed(data)}
	if err := x.checkTop(&d.Element); err != nil {
		return nil, err
	}
	if err := x.check(x.root); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *xmlDocument) checkTop(top *etree.Element) error {
	for i, token := range top.Child {
		switch token := token.(type) {
		case *etree.Element:
			if x.root != nil {
				return fmt.Errorf("%w: more than one XML root", ErrUnreadable)
			}
			x.root = token
		case *etree.CharData:
			if strings.TrimSpace(token.Data) != "" {
				return fmt.Errorf("%w: text beside the XML root", ErrUnreadable)
			}
			x.plain = x.plain && blank(token.Data) && !token.IsCData() // other spaces than XML's are text, too
		case *etree.ProcInst:
			if i != 0 || !strings.EqualFold(token.Target, "xml") {
				x.plain = false
			}
		case *etree.Directive:
			return fmt.Errorf("%w: DOCTYPE", ErrUnreadable)
		default:
			x.plain = false
		}
	}
	if x.root == nil {
		return fmt.Errorf("%w: no XML root", ErrUnreadable)
	}
	return nil
}

func (x *xmlDocument) check(e *etree.Element) error {
	x.elements++
	for _, a := range e.Attr {
		if !isNamespace(a) { // any other may suggest something, as elements may
			x.attributes++
		}
	}
	if x.elements > maxNodes || x.attributes > maxNodes || len(e.Attr) > maxAttributes {
		return fmt.Errorf("%w: XML beyond %d elements or %d attributes", ErrUnreadable, maxNodes, maxAttributes)
	}
	if len(e.Tag)+len(e.Space) > maxName {
		return fmt.Errorf("%w: an XML name is longer than %d bytes", ErrUnreadable, maxName)
	}
	if strings.Contains(e.Tag, ":") { // <:Server> is a Server to who cuts prefixes off
		return fmt.Errorf("%w: an XML name with an empty prefix", ErrUnreadable)
	}
	if duplicateAttributes(e) {
		return fmt.Errorf("%w: an XML attribute stands twice", ErrUnreadable)
	}
	for _, token := range e.Child {
		switch token := token.(type) {
		case *etree.Element:
			if err := x.check(token); err != nil {
				return err
			}
		case *etree.CharData:
			x.plain = x.plain && !token.IsCData()
		case *etree.Directive:
			return fmt.Errorf("%w: a declaration inside the XML", ErrUnreadable)
		default:
			x.plain = false
		}
	}
	return nil
}

func duplicateAttributes(e *etree.Element) bool {
	for i, a := range e.Attr {
		if len(a.Key) > maxName { // as good as a name that is no name
			return true
		}
		for _, b := range e.Attr[:i] {
			if a.Space == b.Space && a.Key == b.Key {
				return true
			}
		}
	}
	return false
}

// sameReader is the CharsetReader for text that is UTF-8 already.
func sameReader(_ string, input io.Reader) (io.Reader, error) { return input, nil }

// elementText joins all character data of an element, unlike etree's Text, which stops at the first comment or processing instruction.
func elementText(e *etree.Element) string {
	if len(e.Child) == 1 {
		if c, ok := e.Child[0].(*etree.CharData); ok {
			return c.Data
		}
	}
	var s strings.Builder
	for _, token := range e.Child {
		if c, ok := token.(*etree.CharData); ok {
			s.WriteString(c.Data)
		}
	}
	return s.String()
}

// errMixed says that readers take an element for different values. Its own text is what some go by, and the text of all that is in it what others do: DOM's textContent and innerText,
// libxml2's xmlNodeGetContent, Qt's QDomElement::text, .NET's XElement.Value.
var errMixed = fmt.Errorf("%w: text and elements mixed", ErrUnreadable)

// hasElements reports whether e contains other elements.
func hasElements(e *etree.Element) bool {
	for range e.ChildElementsSeq() {
		return true
	}
	return false
}

// is reports whether the element's local name is name, without regard to case and prefix.
func is(e *etree.Element, name string) bool { return e != nil && strings.EqualFold(e.Tag, name) }

// child is the first child element of that local name, or nil.
func child(e *etree.Element, name string) *etree.Element {
	if e == nil {
		return nil
	}
	for c := range e.ChildElementsSeq() {
		if is(c, name) {
			return c
		}
	}
	return nil
}

// holdsAny reports whether an element of one of those local names stands anywhere below e.
func holdsAny(e *etree.Element, names ...string) bool {
	for c := range e.ChildElementsSeq() {
		if slices.ContainsFunc(names, func(name string) bool { return is(c, name) }) || holdsAny(c, names...) {
			return true
		}
	}
	return false
}

// childText is the trimmed text of the first child element of that local name.
func childText(e *etree.Element, name string) string {
	if c := child(e, name); c != nil {
		return strings.TrimSpace(elementText(c))
	}
	return ""
}

// ancestor is the nearest element of one of the local names at or above e, or nil.
func ancestor(e *etree.Element, names ...string) *etree.Element {
	for ; e != nil && e.Tag != ""; e = e.Parent() {
		for _, name := range names {
			if is(e, name) {
				return e
			}
		}
	}
	return nil
}

// verify says why a document whose root should be called name cannot be judged by the suggestions that were found in it; nil where it can.
func (x *xmlDocument) verify(name string, found []Suggestion) error {
	switch {
	case len(found) == 0:
		return fmt.Errorf("%w: no server in the answer", ErrNoSettings)
	case !is(x.root, name):
		return fmt.Errorf("%w: settings inside a foreign document", ErrUnreadable)
	}
	return nil
}

// isNamespace reports whether an attribute names a namespace or schema: a name that looks like an address and that nobody contacts.
func isNamespace(a etree.Attr) bool {
	return a.Space == "xmlns" || a.Key == "xmlns" || strings.EqualFold(a.Key, "schemaLocation")
}

// attached reports whether e is still part of the document below root: what was taken out has lost its parent.
func attached(e, root *etree.Element) bool {
	for ; e != nil; e = e.Parent() {
		if e == root {
			return true
		}
	}
	return false
}

// remove takes an element out of its parent.
func remove(e *etree.Element) {
	if p := e.Parent(); p != nil {
		p.RemoveChild(e)
	}
}

// write is an answer with the document, canonical: UTF-8, one declaration, elements, attributes and text only. It is the last thing that is done
// to the tree.
func (x *xmlDocument) write(mediaType string) (Answer, error) {
	out := etree.NewDocument()
	out.WriteSettings = etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true}
	out.CreateProcInst("xml", `version="1.0" encoding="utf-8"`)
	canonicalise(x.root)
	out.AddChild(x.root)
	text, err := out.WriteToString()
	if err != nil {
		return Answer{}, fmt.Errorf("%w: writing XML", ErrUnreadable)
	}
	return composed(mediaType, text), nil
}

// canonicalise takes out of an element everything that parsers disagree on: comments, processing instructions, CDATA, and white space
// around values.
func canonicalise(e *etree.Element) {
	if !hasElements(e) {
		value := strings.TrimSpace(elementText(e))
		e.Child = e.Child[:0]
		if value != "" {
			e.CreateText(value)
		}
		return
	}
	kept := e.Child[:0]
	for _, token := range e.Child {
		switch token := token.(type) {
		case *etree.Element:
			canonicalise(token)
			kept = append(kept, token)
		case *etree.CharData:
			if value := strings.TrimSpace(token.Data); value != "" {
				kept = append(kept, etree.NewText(value))
			}
		}
	}
	e.Child = kept
}
