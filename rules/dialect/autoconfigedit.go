package dialect

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// editConfig applies verdicts and writes the document. A service without its host goes as a whole: clients fill the gap with guesses. A
// document that configures no mail any more is not sent: Thunderbird, K-9 and Delta Chat take it for a broken one.
func editConfig(x *xmlDocument, spots []xmlSpot, judged []Suggestion, domain string) (Answer, error) {
	putIn := unitsPutIn(spots, judged)
	var gone []*etree.Element
	for i, s := range judged {
		switch at := spots[i]; {
		case overwrites(putIn, at, &judged[i]), s.Verdict == Keep:
		case s.Verdict == Rewrite && at.attribute != "":
			at.element.CreateAttr(at.attribute, s.Now)
		case s.Verdict == Rewrite:
			setText(at.element, s.Now)
			if v := s.putIn(); v != nil && at.unit != nil && at.unit != at.element {
				setConfigServer(at, s.Kind == KindURL, *v)
			}
		case at.unit == nil:
			at.element.RemoveAttr(at.attribute)
		default:
			gone = append(gone, at.unit)
		}
	}
	for _, e := range gone {
		remove(e)
	}
	if !servesMail(x.root, spots, judged) {
		return Answer{}, ErrNothingLeft
	}
	pruneConfig(x.root)
	forOneDomain(x.root, domain)
	markRemoved(judged, func(i int) bool { return attached(spots[i].element, x.root) })
	return x.write(typeXML)
}

// setConfigServer writes how to speak and to log in to a server that was put in, as a composed document has it. A password that somebody has published is none for it.
func setConfigServer(at xmlSpot, byURL bool, v Server) {
	dropChildren(at.unit, "socketType", "authentication", "password")
	if !byURL {
		setChild(at.unit, "port", strconv.Itoa(int(v.port())), at.element)
	}
	written := len(at.unit.Child)
	configConnection(at.unit, v, byURL)
	for _, token := range at.unit.Child[written:] {
		if e, ok := token.(*etree.Element); ok {
			e.Space = at.element.Space
		}
	}
	user := setChild(at.unit, "username", cmp.Or(v.Username, configUser), at.element)
	at.unit.AddChild(user) // which stands last in the schema
}

// servesMail reports whether a server for incoming or outgoing mail is left, with a host.
func servesMail(root *etree.Element, spots []xmlSpot, judged []Suggestion) bool {
	for i, s := range judged {
		if s.Kind == KindPort || s.Verdict != Keep && s.Verdict != Rewrite {
			continue
		}
		unit := spots[i].unit
		if (is(unit, "incomingServer") || is(unit, "outgoingServer")) && attached(unit, root) {
			return true
		}
	}
	return false
}

// pruneConfig takes out what lost everything that it is for: a webMail without a page.
func pruneConfig(e *etree.Element) {
	for _, c := range e.ChildElements() {
		pruneConfig(c)
	}
	if is(e, "webMail") && child(e, "loginPage") == nil && child(e, "loginPageInfo") == nil {
		remove(e)
	}
}

// forOneDomain makes the document one for the asked domain alone. A provider may list others, which is nothing that a client obeys but names
// strangers all the same; a lab that serves two domains would lose its settings over it.
func forOneDomain(e *etree.Element, domain string) {
	if is(e, "emailProvider") {
		for i, a := range e.Attr {
			if strings.EqualFold(a.Key, "id") {
				e.Attr[i].Value = domain
			}
		}
		first := true
		for _, c := range e.ChildElements() {
			switch {
			case !is(c, "domain"):
			case first:
				setText(c, domain)
				c.Attr = nil // a purpose would be that of another domain
				first = false
			default:
				remove(c)
			}
		}
	}
	for _, c := range e.ChildElements() {
		forOneDomain(c, domain)
	}
}
