package dialect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// CalDAV and CardDAV: the client asks the domain for /.well-known/caldav or /.well-known/carddav, with GET, PROPFIND or OPTIONS, and is sent
// on with Location (RFC 6764, section 5), or answered at once with the properties that it asked for (RFC 4918, section 13)
//
//	<D:multistatus xmlns:D="DAV:"><D:response><D:href>/.well-known/caldav</D:href><D:propstat>
//	 <D:prop><D:current-user-principal><D:href>https://dav.lab.test/user/</D:href></D:current-user-principal></D:prop>
//	 <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>
var dav = wireFormat{
	info: Info{
		ID:       DAV,
		Name:     "dav",
		Title:    "CalDAV and CardDAV well-known resources and home sets (HTTP redirect, XML)",
		Citation: "RFC 6764, sections 5 and 6; RFC 4918, section 13",
		Clients:  "Apple Calendar and Contacts, Thunderbird, Evolution, DAVx⁵, vdirsyncer",
	},
	recognise:      func(_ Request, _, path string) bool { return davProtocol(path) != "" },
	read:           readDAV,
	identifierURIs: davIdentifierURIs,
	refuse:         func(Inquiry) Answer { return notFound() },
	compose:        composeDAV,
}

// davProtocol is what is asked for at one of the well-known places, of which path is the normalised one; "" elsewhere.
func davProtocol(path string) string {
	switch path {
	case "/.well-known/caldav":
		return "caldav"
	case "/.well-known/carddav":
		return "carddav"
	}
	return ""
}

func readDAV(q Inquiry, t text) (*Document, error) {
	x, err := parseXML(t)
	if err != nil {
		return nil, err
	}
	if isForeign(x.root.NamespaceURI()) {
		return nil, fmt.Errorf("%w: a document of another namespace", ErrNoSettings)
	}
	foreign := dropForeign(x.root)
	w := treeWalk{suggest: suggestDAV(q), unit: davUnit, holdsValue: func(name string) bool { return name == "href" }}
	w.element(x.root, &place{tag: x.root.Tag})
	d := x.document(t, w.found, nil)
	d.Plain = d.Plain && !foreign
	d.edit = func(judged []Suggestion) (Answer, error) {
		dropWords(x.root) // first: the verdicts must say what goes along
		if !w.apply(x.root, judged) {
			return Answer{}, ErrNothingLeft
		}
		return w.write(x, 207)
	}
	switch {
	case w.err != nil:
		return d, w.err
	case !is(x.root, "multistatus") || len(w.found) == 0: // DAV:error (RFC 4918, section 16), a page
		return d, fmt.Errorf("%w: no multistatus in the answer", ErrNoSettings)
	}
	return d, nil
}

// suggestDAV reads href elements, which may be relative (RFC 4918, section 8.3): the asked host once more. calendar-user-address-set
// (RFC 6638, section 2.4.1) holds the user's addresses in them, under which nobody looks for anything, and URNs that lead nowhere.
func suggestDAV(q Inquiry) func(e *etree.Element, path, value string) (Suggestion, bool) {
	asked, protocol := "", ""
	if q.Request.URL != nil {
		asked, protocol = hostName(q.Request.Host()), davProtocol(normalPath(q.Request.URL.Path))
	}
	return func(e *etree.Element, path, value string) (Suggestion, bool) {
		scheme, _, _ := strings.Cut(value, ":")
		protocol := cmp.Or(davProperty(e), protocol)
		switch {
		case is(e, "sync-token"), is(e, "getctag"): // URLs by form, which go back to where they came from and lead nowhere (RFC 6578, section 3.4)
			return Suggestion{}, false
		case !is(e, "href"):
			return suggestAbsolute(path, protocol, value)
		case strings.EqualFold(scheme, "urn"), strings.EqualFold(scheme, "mailto") && is(davUnit(e), "calendar-user-address-set"):
			return Suggestion{}, false
		case strings.EqualFold(scheme, "mailto"):
			return suggestMailto(path, protocol, value)
		case relative(value):
			return Suggestion{Path: path, Kind: KindURL, Protocol: protocol, Host: asked, Was: value}, true
		}
		return suggestURL(KindURL, path, protocol, value)
	}
}

// davUnit is what goes with an href: the resource that it names, or the property that points to it.
func davUnit(e *etree.Element) *etree.Element {
	for p := e; p.Parent() != nil; p = p.Parent() {
		if is(p.Parent(), "prop") || is(p, "response") {
			return p
		}
	}
	return e
}

// dropForeign takes out what belongs to namespaces that are URLs and not known: nothing tells them from a server's address, and discovery needs no
// property but those of the RFCs, whose namespaces are DAV: and URNs. It reports whether there were any.
func dropForeign(e *etree.Element) bool {
	dropped := false
	for _, c := range e.ChildElements() {
		if isForeign(c.NamespaceURI()) {
			e.RemoveChild(c)
			dropped = true
			continue
		}
		dropped = dropForeign(c) || dropped
	}
	// The declarations go last: they say what the elements below belong to.
	kept := make([]etree.Attr, 0, len(e.Attr))
	for _, a := range e.Attr {
		if isDeclaration(a) && isForeign(a.Value) || isForeign(a.NamespaceURI()) {
			dropped = true
			continue
		}
		kept = append(kept, a)
	}
	e.Attr = kept
	return dropped
}

func isForeign(namespace string) bool {
	return strings.Contains(namespace, "//") && !slices.Contains(davNamespaces[:], namespace)
}

// isDeclaration reports whether an attribute declares a namespace.
func isDeclaration(a etree.Attr) bool { return a.Space == "xmlns" || a.FullKey() == "xmlns" }

// composeDAV sends the client to the server of what it asked for.
func composeDAV(q Inquiry, s Settings) (Answer, error) {
	if q.Request.URL == nil {
		return Answer{}, fmt.Errorf("%w: nothing was asked for", ErrCannotCarry)
	}
	return sendTo(q, 301, s.endpoint(davProtocol(normalPath(q.Request.URL.Path))))
}
