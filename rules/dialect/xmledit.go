package dialect

import (
	"strconv"

	"github.com/beevik/etree"
)

// What the XML dialects share where they apply verdicts to a tree.

// xmlSpot ties a suggestion to its element, or to an attribute of it.
type xmlSpot struct {
	element   *etree.Element
	attribute string
	unit      *etree.Element // what is removed with it; nil where only the element, or the attribute, goes
}

// applyXML changes an XML tree, of whichever dialect, as the verdicts say.
func applyXML(spots []xmlSpot, judged []Suggestion) {
	gone, putIn := make(map[*etree.Element]bool), unitsPutIn(spots, judged)
	for i, s := range judged {
		at := spots[i]
		switch {
		case overwrites(putIn, at, &judged[i]), s.Verdict == Keep:
		case s.Verdict == Rewrite && at.attribute != "":
			at.element.CreateAttr(at.attribute, s.Now)
		case s.Verdict == Rewrite:
			setText(at.element, s.Now)
			if v := s.putIn(); v != nil && at.unit != nil {
				setConnection(at, s.Kind == KindURL, *v)
			}
		case at.attribute != "":
			at.element.RemoveAttr(at.attribute)
		default:
			gone[at.removed()] = true
		}
	}
	for e := range gone {
		remove(e)
	}
}

// setConnection writes how to speak and to log in to a server that was put in: into a Protocol, as a composed document has it, or into SOAP's ProtocolConnection, which knows no
// log-in.
func setConnection(at xmlSpot, byURL bool, v Server) {
	switch {
	case is(at.unit, "Protocol") && is(at.element, "Server"):
		last := at.element
		for _, m := range poxConnection(v, byURL) {
			last = setChild(at.unit, m.name, m.value, last)
		}
		dropChildren(at.unit, "DomainName", "AuthPackage")
		if v.Username == "" {
			dropChildren(at.unit, "LoginName")
		}
	case is(at.unit, "ProtocolConnection"):
		_, encryption := poxEncryption(v.Encryption)
		last := setChild(at.unit, "Port", strconv.Itoa(int(v.port())), at.element)
		setChild(at.unit, "EncryptionMethod", encryption, last)
	}
}

func (s xmlSpot) removed() *etree.Element {
	if s.unit != nil {
		return s.unit
	}
	return s.element
}

// keepsServer reports whether a server, URL or redirect is left.
func keepsServer(root *etree.Element, spots []xmlSpot, judged []Suggestion) bool {
	for i, s := range judged {
		if s.Kind != KindPort && (s.Verdict == Keep || s.Verdict == Rewrite) && attached(spots[i].element, root) {
			return true
		}
	}
	return false
}
