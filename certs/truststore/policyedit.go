package truststore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// A policies file belongs to somebody else. It is edited as text: what we need is inserted, every other byte stays, comments in the
// sense of extra keys included.

// The place of the list: policies.Certificates.Install (Mozilla's policy templates, "Certificates | Install").
var installPath = []string{"policies", "Certificates", "Install"}

// newPolicies is what is written where there is no file.
const newPolicies = "{\n  \"policies\": {\n  }\n}\n"

// part is a member of an object, or an element of an array, by offsets into the text. The name of an element is empty.
type part struct {
	name              string
	start, value, end int // start is that of the name, if there is one
}

// container is an object or an array, by offsets into the text.
type container struct {
	kind       jsontext.Kind
	open, shut int // of the brackets
	parts      []part
}

// readContainer reads the parts of the object or array that begins at an offset.
func readContainer(text []byte, at int) (*container, error) {
	d := jsontext.NewDecoder(bytes.NewReader(text[at:]))
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	c := &container{kind: token.Kind()}
	if c.kind != '{' && c.kind != '[' {
		return nil, fmt.Errorf("at offset %d there is %s where an object or a list belongs", at, c.kind)
	}
	c.open = at + int(d.InputOffset()) - 1
	for d.PeekKind() != '}' && d.PeekKind() != ']' {
		var p part
		if c.kind == '{' {
			raw, err := d.ReadValue()
			if err != nil {
				return nil, err
			}
			p.name = unquoted(raw)
			p.start = at + int(d.InputOffset()) - len(raw)
		}
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		p.end = at + int(d.InputOffset())
		p.value = p.end - len(value)
		if c.kind == '[' {
			p.start = p.value
		}
		c.parts = append(c.parts, p)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	c.shut = at + int(d.InputOffset()) - 1
	return c, nil
}

// unquoted is what a string literal says, or nothing where there is another kind of value.
func unquoted(raw []byte) string {
	said, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return ""
	}
	return string(said)
}

// checkPolicies refuses what is not one JSON value. A name that occurs twice is refused, too: programs take the last one, people read the first.
func checkPolicies(text []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	if _, err := d.ReadValue(); err != nil {
		return err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is more at offset %d than one JSON value", d.InputOffset())
	}
	return nil
}

// descend reads the containers on the way to the list, as far as there are any.
func descend(text []byte) ([]*container, error) {
	if err := checkPolicies(text); err != nil {
		return nil, err
	}
	var way []*container
	at := 0
	for depth := 0; ; depth++ {
		c, err := readContainer(text, at)
		if err != nil {
			return nil, err
		}
		if want := kindAt(depth); c.kind != want {
			return nil, fmt.Errorf("at offset %d there is %s where %s belongs", c.open, c.kind, want)
		}
		way = append(way, c)
		if depth == len(installPath) {
			return way, nil
		}
		i := slices.IndexFunc(c.parts, func(p part) bool { return p.name == installPath[depth] })
		if i < 0 {
			return way, nil
		}
		at = c.parts[i].value
	}
}

func kindAt(depth int) jsontext.Kind {
	if depth == len(installPath) {
		return '['
	}
	return '{'
}

// listsCertificate reports whether the policies install a certificate from a file.
func listsCertificate(text []byte, file string) (bool, error) {
	way, err := descend(text)
	if err != nil || len(way) <= len(installPath) {
		return false, err
	}
	return way[len(installPath)].index(text, file) >= 0, nil
}

// index is the element of a list that says file, or -1.
func (c *container) index(text []byte, file string) int {
	return slices.IndexFunc(c.parts, func(p part) bool { return unquoted(text[p.value:p.end]) == file })
}

// addCertificate makes the policies install a certificate from a file. Empty text is an absent file.
func addCertificate(text []byte, file string) ([]byte, error) {
	if text == nil {
		text = []byte(newPolicies)
	}
	way, err := descend(text)
	if err != nil {
		return nil, err
	}
	quoted, err := jsontext.AppendQuote(nil, file)
	if err != nil {
		return nil, fmt.Errorf("the path %q: %w", file, err)
	}
	depth := len(way) - 1
	value := string(quoted)
	if depth < len(installPath) {
		value = "[" + value + "]"
		for i := len(installPath) - 1; i > depth; i-- {
			value = "{" + strconv.Quote(installPath[i]) + ": " + value + "}"
		}
		value = strconv.Quote(installPath[depth]) + ": " + value
	}
	return way[depth].insert(text, value), nil
}

// insert puts a part behind the last one, spaced like the first.
func (c *container) insert(text []byte, value string) []byte {
	if len(c.parts) == 0 {
		return splice(text, c.open+1, c.open+1, spaceBefore(text, c.shut)+value)
	}
	space := string(text[c.open+1 : c.parts[0].start])
	if space == "" {
		space = " "
	}
	return splice(text, c.parts[len(c.parts)-1].end, c.parts[len(c.parts)-1].end, ","+space+value)
}

// spaceBefore is the indentation of what an empty container would hold.
func spaceBefore(text []byte, shut int) string {
	line := bytes.LastIndexByte(text[:shut], '\n')
	if line < 0 || len(bytes.TrimSpace(text[line:shut])) > 0 {
		return ""
	}
	return string(text[line:shut]) + "  "
}

// dropCertificate takes out what addCertificate put in, and lists and objects that have become empty by it.
func dropCertificate(text []byte, file string) ([]byte, error) {
	if text == nil {
		return nil, nil
	}
	way, err := descend(text)
	if err != nil || len(way) <= len(installPath) {
		return text, err
	}
	list := way[len(installPath)]
	i := list.index(text, file)
	if i < 0 {
		return text, nil
	}
	depth := len(installPath)
	for ; depth > 1 && len(way[depth].parts) == 1; depth-- { // the object "policies" itself stays: without it a file is an error
		i = slices.IndexFunc(way[depth-1].parts, func(p part) bool { return p.name == installPath[depth-1] })
	}
	return way[depth].remove(text, i), nil
}

// saysNothing reports whether the text is that of policies without any.
func saysNothing(text []byte) bool {
	way, err := descend(text)
	return err == nil && len(way) == 2 && len(way[0].parts) == 1 && len(way[1].parts) == 0
}

// remove takes one part out, with one comma.
func (c *container) remove(text []byte, i int) []byte {
	switch {
	case i+1 < len(c.parts):
		return splice(text, c.parts[i].start, c.parts[i+1].start, "")
	case i > 0:
		return splice(text, c.parts[i-1].end, c.parts[i].end, "")
	}
	return splice(text, c.open+1, c.shut, "")
}

// splice returns text with the bytes between two offsets replaced.
func splice(text []byte, from, to int, by string) []byte {
	return slices.Concat(text[:from], []byte(by), text[to:])
}
