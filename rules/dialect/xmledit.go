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
	gone := make(map[*etree.Element]bool)
	for i, s := range judged {
		at := spots[i]
		switch {
		case s.Verdict == Keep:
		case s.Verdict == Rewrite && at.attribute != "":
			at.element.CreateAttr(at.attribute, s.Now)
		case s.Verdict == Rewrite:
			at.element.SetText(s.Now)
			if s.replacesServer() && at.unit != nil {
				setConnection(at, s)
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

// setConnection writes port and encryption of a server that was put in: into a Protocol, where Encryption overrides SSL (MS-OXDSCLI 2.2.4.1.1.2.9), or into
// SOAP's ProtocolConnection.
func setConnection(at xmlSpot, s Suggestion) {
	ssl, encryption := poxEncryption(s.Encryption)
	port := strconv.Itoa(int(s.Port))
	switch {
	case is(at.unit, "Protocol"):
		last := setChild(at.unit, "Port", port, at.element)
		last = setChild(at.unit, "SSL", ssl, last)
		setChild(at.unit, "Encryption", encryption, last)
	case is(at.unit, "ProtocolConnection"):
		last := setChild(at.unit, "Port", port, at.element)
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
