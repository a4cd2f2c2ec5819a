package dialect

import "github.com/beevik/etree"

// editMobileSync applies verdicts and writes the document. An Action whose servers are all gone goes as a whole, and in a mixed document so
// does an Account that lost everything.
func editMobileSync(x *xmlDocument, spots []xmlSpot, judged []Suggestion) (Answer, error) {
	applyXML(spots, judged)
	prunePOX(x.root)
	pruneMobileSync(x.root)
	if !keepsServer(x.root, spots, judged) {
		return Answer{}, ErrNothingLeft
	}
	markRemoved(judged, func(i int) bool { return attached(spots[i].element, x.root) })
	return x.write(typeXML)
}

func pruneMobileSync(e *etree.Element) {
	for _, c := range e.ChildElements() {
		pruneMobileSync(c)
	}
	switch {
	case is(e, "Settings") && !hasElements(e):
		remove(e)
	case is(e, "Account"):
		if child(e, "Protocol") == nil && child(e, "RedirectUrl") == nil && child(e, "RedirectAddr") == nil {
			remove(e)
		}
	case is(e, "Action") && ancestor(e, "Account") == nil && !hasElements(e) && elementText(e) == "":
		remove(e)
	}
}
