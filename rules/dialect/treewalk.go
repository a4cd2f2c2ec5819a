package dialect

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// treeWalk lists the suggestions of an XML answer in document order, for the dialects whose documents have no schema that would say where to
// look (DAV properties, the XML form of userrealm): every leaf and every attribute is asked.
type treeWalk struct {
	// suggest says what the text of a leaf suggests.
	suggest func(e *etree.Element, path, value string) (Suggestion, bool)
	// holdsValue reports whether clients take a host or URL out of elements of a name, in lower case.
	holdsValue func(name string) bool
	// unit is what is removed with a leaf; nil: the leaf.
	unit func(e *etree.Element) *etree.Element
	// subjects says whom a leaf names; nil where the dialect's answers name nobody.
	subjects func(name, value string) []Subject

	found []Suggestion
	spots []xmlSpot
	about []Subject
	err   error
}

func (w *treeWalk) element(e *etree.Element, at *place) {
	value := strings.TrimSpace(elementText(e))
	nested := hasElements(e)
	if nested && (value != "" || w.holdsValue(strings.ToLower(e.Tag))) {
		w.err = errMixed
	}
	for _, a := range e.Attr {
		if isDeclaration(a) {
			continue
		}
		if s, ok := suggestAbsolute("", "", a.Value); ok {
			s.Path = at.String() + "/@" + a.Key
			w.add(s, xmlSpot{element: e, attribute: a.FullKey()})
		}
	}
	if !nested && value != "" {
		w.leaf(e, at.String(), value)
	}
	for c, at := range children(e, at) {
		w.element(c, at)
	}
}

func (w *treeWalk) leaf(e *etree.Element, path, value string) {
	if w.subjects != nil {
		w.about = append(w.about, w.subjects(strings.ToLower(e.Tag), value)...)
	}
	s, ok := w.suggest(e, path, value)
	if !ok {
		return
	}
	spot := xmlSpot{element: e, unit: e}
	if w.unit != nil {
		spot.unit = w.unit(e)
	}
	w.add(s, spot)
}

func (w *treeWalk) add(s Suggestion, spot xmlSpot) {
	w.found = append(w.found, s)
	w.spots = append(w.spots, spot)
}

// apply applies verdicts to the tree and reports whether a suggestion is left below root.
func (w *treeWalk) apply(root *etree.Element, judged []Suggestion) bool {
	applyXML(w.spots, judged)
	markRemoved(judged, func(i int) bool { return attached(w.spots[i].element, root) })
	return slices.ContainsFunc(judged, func(s Suggestion) bool { return s.Verdict == Keep || s.Verdict == Rewrite })
}

func (w *treeWalk) write(x *xmlDocument, status int) (Answer, error) {
	a, err := x.write("application/xml; charset=utf-8")
	if err == nil {
		a.Status = status
	}
	return a, err
}
