package rules_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// TestEditedDocumentsSpeakWithOneVoice over the whole corpus: a reader of another make, which knows no dialect, finds every suggestion that
// ours finds at the same place and with the same value, and no URL that ours does not find.
func TestEditedDocumentsSpeakWithOneVoice(t *testing.T) {
	edited := 0
	for _, x := range everyExchange(t) {
		plan, d := decide(policyFor(t, x), x.request, x.answer)
		if d.Action != rules.ActionEdit || len(d.Answer.Body) == 0 || d.Dialect == dialect.DoH {
			continue
		}
		edited++
		if err := oneVoice(plan.Inquiry, d.Answer); err != nil {
			t.Errorf("%s: %v\n%s", x.name, err, d.Answer.Body)
		}
	}
	if edited < 50 {
		t.Errorf("the corpus has %d edited documents, want more", edited)
	}
}

func oneVoice(q dialect.Inquiry, a dialect.Answer) error {
	doc, err := dialect.Read(q, a)
	if err != nil {
		return err
	}
	theirs, err := otherReading(a)
	if err != nil {
		return fmt.Errorf("only we can read it: %w", err)
	}
	ours := map[string]bool{}
	for _, s := range doc.Suggestions {
		if strings.HasPrefix(s.Path, "header:") {
			continue
		}
		ours[s.Was] = true
		path, _, _ := strings.Cut(s.Path, "[Name=") // which SOAP's reader adds
		values, known := theirs[path]
		if strings.HasPrefix(s.Path, "plist:") { // whose paths are made of keys, not of elements
			values, known = flat(theirs), true
		}
		if s.Path == "text:" { // words, which are no document
			values, known = strings.Split(string(a.Body), ","), true
		}
		if !known || !slices.Contains(values, s.Was) {
			return fmt.Errorf("we read %q at %s, the other reader %q", s.Was, s.Path, values)
		}
	}
	for path, values := range theirs {
		for _, v := range values {
			if strings.Contains(v, "://") && !ours[v] && !isName(v) {
				return fmt.Errorf("only the other reader sees %q at %s", v, path)
			}
		}
	}
	return nil
}

// isName reports whether a URL is a name that nobody contacts: of an action or an anonymous address in SOAP's header.
func isName(v string) bool {
	return slices.ContainsFunc(nameSpaces, func(host string) bool { return strings.Contains(v, "://"+host+"/") })
}

func flat(values map[string][]string) []string {
	var all []string
	for _, v := range values {
		all = append(all, v...)
	}
	return all
}

// otherReading is every value of a document by its path.
func otherReading(a dialect.Answer) (map[string][]string, error) {
	values := map[string][]string{}
	if strings.Contains(a.Header.Get("Content-Type"), "json") {
		d := json.NewDecoder(bytes.NewReader(a.Body))
		d.UseNumber()
		var root any
		if err := d.Decode(&root); err != nil {
			return nil, err
		}
		jsonValues(values, "", root)
		return values, nil
	}
	return values, xmlValues(values, a.Body)
}

func jsonValues(values map[string][]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			jsonValues(values, path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), member)
		}
	case []any:
		for i, item := range v {
			jsonValues(values, path+"/"+strconv.Itoa(i), item)
		}
	case string:
		values[path] = append(values[path], v)
	case json.Number:
		values[path] = append(values[path], v.String())
	}
}

// otherElement is an element that encoding/xml walks through.
type otherElement struct {
	name, text string
	attributes []xml.Attr
	children   []*otherElement
}

func xmlValues(values map[string][]string, body []byte) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	top := &otherElement{}
	open := []*otherElement{top}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			for _, root := range top.children {
				root.values(values, "/"+root.name)
			}
			return nil
		}
		if err != nil {
			return err
		}
		around := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &otherElement{name: token.Name.Local, attributes: token.Attr}
			around.children = append(around.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			around.text += string(token)
		}
	}
}

// values writes down an element's text and attributes, but for those that name namespaces and schemas.
func (e *otherElement) values(values map[string][]string, path string) {
	values[path] = append(values[path], strings.TrimSpace(e.text))
	for _, a := range e.attributes {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && a.Name.Local != "schemaLocation" {
			values[path+"/@"+a.Name.Local] = append(values[path+"/@"+a.Name.Local], a.Value)
		}
	}
	total, seen := map[string]int{}, map[string]int{}
	for _, c := range e.children {
		total[c.name]++
	}
	for _, c := range e.children {
		step := "/" + c.name
		if total[c.name] > 1 {
			seen[c.name]++
			step += "[" + strconv.Itoa(seen[c.name]) + "]"
		}
		c.values(values, path+step)
	}
}
