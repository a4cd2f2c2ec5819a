package dialect

import (
	"slices"
	"strconv"

	"github.com/beevik/etree"
)

// Replace lets a server stand in for what is suggested, where the suggestion is of a kind that a server can be written for. What belongs to
// the server beside its name, the port, the encryption and the way to log in, is written with it: a client that is told the right host with the
// stranger's way of speaking to it would fail, or speak in the clear.
func (s *Suggestion) Replace(v Server) {
	now := ""
	switch s.Kind {
	case KindHostname:
		now = v.Host
	case KindPort:
		now = strconv.Itoa(int(v.port()))
	case KindURL:
		if _, ok := usualPaths[v.Protocol]; !ok {
			return
		}
		now = v.endpoint()
	default:
		return
	}
	s.Verdict, s.Now, s.Port, s.Server = Rewrite, now, v.port(), &v
}

// The words for encryption that Settings have: TLS from the first byte, STARTTLS, and none.
const (
	encryptionSSL      = "ssl"
	encryptionSTARTTLS = "starttls"
	encryptionNone     = "none"
)

// putIn is the server that a judged suggestion puts in the place of another, whose port, encryption and log-in are replaced, too; nil where it puts none in.
func (s Suggestion) putIn() *Server {
	if s.Verdict != Rewrite || s.Kind == KindPort {
		return nil
	}
	return s.Server
}

// unitsPutIn are the elements into which a server is put: its user name is written over what stands there.
func unitsPutIn(spots []xmlSpot, judged []Suggestion) map[*etree.Element]*Server {
	var all map[*etree.Element]*Server
	for i, s := range judged {
		v := s.putIn()
		if v == nil {
			continue
		}
		if all == nil {
			all = make(map[*etree.Element]*Server)
		}
		all[spots[i].unit] = v
	}
	return all
}

// overwrites reports whether what is suggested is a user name beside which a server is put in, and says in the verdict that the client does not get it.
func overwrites(units map[*etree.Element]*Server, at xmlSpot, s *Suggestion) bool {
	if units[at.unit] == nil || !is(at.element, "username") && !is(at.element, "LoginName") {
		return false
	}
	s.Verdict, s.Now = Remove, ""
	return true
}

// setText gives an element a text in the place of everything in it: what stands behind a comment, too, which etree's SetText leaves there.
func setText(e *etree.Element, value string) {
	for len(e.Child) > 0 {
		e.RemoveChildAt(0)
	}
	e.CreateText(value)
}

// setChild sets the text of a child element, which is put behind another where it is not there yet, and returns it. Others of the same name go: some clients take the first one, some
// the last.
func setChild(parent *etree.Element, name, value string, behind *etree.Element) *etree.Element {
	c := child(parent, name)
	if c == nil {
		c = etree.NewElement(name)
		c.Space = behind.Space
		parent.InsertChildAt(behind.Index()+1, c)
	}
	setText(c, value)
	for _, other := range parent.ChildElements() {
		if other != c && is(other, name) {
			remove(other)
		}
	}
	return c
}

// dropChildren takes out the child elements of these names.
func dropChildren(parent *etree.Element, names ...string) {
	for _, c := range parent.ChildElements() {
		if slices.ContainsFunc(names, func(name string) bool { return is(c, name) }) {
			remove(c)
		}
	}
}

// setMember sets a member of a JSON object, if it is there.
func setMember(object *jsonNode, name, value string) {
	if m := object.member(name); m != nil {
		m.set(value)
	}
}
