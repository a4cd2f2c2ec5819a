package dialect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// JMAP: the client asks the domain for /.well-known/jmap, with credentials, and is sent on or answered with the session object (RFC 8620,
// sections 2 and 2.2)
//
//	{"capabilities":{"urn:ietf:params:jmap:core":{…},"urn:ietf:params:jmap:websocket":{"url":"wss://mail.lab.test/ws","supportsPush":true}},
//	 "accounts":{"A1":{"name":"user@lab.test","isPersonal":true,"isReadOnly":false,"accountCapabilities":{…}}},
//	 "primaryAccounts":{…},"username":"user@lab.test",
//	 "apiUrl":"https://mail.lab.test/api/","downloadUrl":"https://mail.lab.test/d/{accountId}/{blobId}/{name}?accept={type}",
//	 "uploadUrl":"https://mail.lab.test/u/{accountId}/","eventSourceUrl":"https://mail.lab.test/e/?types={types}","state":"1"}
//
// Three of the URLs are templates (RFC 6570). A relative one is read as leading to the asked host, which is where every client would go.
var jmap = wireFormat{
	info: Info{
		ID:       JMAP,
		Name:     "jmap",
		Title:    "JMAP session resource (JSON)",
		Citation: "RFC 8620, section 2; RFC 8887 (WebSocket)",
		Clients:  "JMAP clients",
	},
	recognise:      func(_ Request, _, path string) bool { return path == "/.well-known/jmap" },
	read:           readJMAP,
	identifierURIs: jmapIdentifierURIs,
	refuse:         func(Inquiry) Answer { return notFound() },
	compose:        composeJMAP,
}

// sessionURLs are the members without which a session is none (RFC 8620, section 2), lower case.
var sessionURLs = []string{"apiurl", "downloadurl", "uploadurl", "eventsourceurl"}

func readJMAP(q Inquiry, t text) (*Document, error) {
	x, err := readJSONObject(t.data)
	if err != nil {
		return nil, err
	}
	root := x.root
	foreign := dropVendors(root)
	w := urlWalk{protocol: "jmap", suggest: suggestJMAP(q), subjects: sessionSubjects}
	w.value(root, jsonPlace{})
	d := x.document(t, w.found, w.about)
	d.Plain = d.Plain && !foreign
	d.edit = func(judged []Suggestion) (Answer, error) {
		if removesAny(judged, sessionURLs...) {
			return Answer{}, ErrNothingLeft
		}
		dropCapabilities(root, judged)
		return editJSON(root, w.spots, judged)
	}
	if root.member("apiUrl").string() == "" { // a problem document (RFC 7807), a page of the web application
		return d, fmt.Errorf("%w: no session in the answer", ErrNoSettings)
	}
	return d, nil
}

// suggestJMAP takes a relative URL for what it is: the asked host once more.
func suggestJMAP(q Inquiry) func(name, path, protocol, value string) (Suggestion, bool) {
	asked := ""
	if q.Request.URL != nil {
		asked = hostName(q.Request.Host())
	}
	return func(name, path, protocol, value string) (Suggestion, bool) {
		if !slices.Contains(sessionURLs, name) && name != "url" {
			return suggestAbsolute(path, protocol, value)
		}
		value = strings.TrimSpace(value)
		if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "/{") { // for nothing, /{x}/host is //host, another one
			return Suggestion{Path: path, Kind: KindURL, Protocol: protocol, Was: value}, true
		}
		if value != "" && relative(value) {
			return Suggestion{Path: path, Kind: KindURL, Protocol: protocol, Host: asked, Was: value}, true
		}
		return suggestURL(KindURL, path, protocol, value)
	}
}

// sessionSubjects reads who the session is for, by the names that they log in by: accounts[].name is often an address, but may be any text.
func sessionSubjects(name, value string) []Subject {
	if name != "username" && name != "name" {
		return nil
	}
	return addresses(value, CarrierLogin)
}

// vendorCapabilities are capabilities of vendors whose names are URLs (RFC 8620, section 1.8): names that nobody contacts. They are those of Cyrus IMAP
// (cyrus-imapd 3.6.1 and 3.10.2, as their own servers offer and accept them) and Fastmail's published one.
var vendorCapabilities = [...]string{
	"https://cyrusimap.org/ns/jmap/admin", "https://cyrusimap.org/ns/jmap/backup", "https://cyrusimap.org/ns/jmap/blob",
	"https://cyrusimap.org/ns/jmap/calendars", "https://cyrusimap.org/ns/jmap/contacts", "https://cyrusimap.org/ns/jmap/debug", "https://cyrusimap.org/ns/jmap/mail",
	"https://cyrusimap.org/ns/jmap/notes", "https://cyrusimap.org/ns/jmap/performance", "https://cyrusimap.org/ns/jmap/quota",
	"https://cyrusimap.org/ns/jmap/sieve", "https://cyrusimap.org/ns/jmap/usercounters", "https://www.fastmail.com/dev/maskedemail",
}

// jmapIdentifierURIs empties the names of vendorCapabilities, where they are names of members.
var jmapIdentifierURIs = func() *strings.Replacer {
	var pairs []string
	for _, name := range vendorCapabilities {
		pairs = append(pairs, `"`+name+`":`, `"":`)
	}
	return strings.NewReplacer(pairs...)
}()

// dropVendors takes out the capabilities of other vendors: nothing in their names tells them from a server's address, so a guarded client does without.
// It reports whether there were any.
func dropVendors(n *jsonNode) bool {
	before := len(n.members)
	n.members = slices.DeleteFunc(n.members, func(m jsonMember) bool {
		return strings.Contains(m.name, "//") && !slices.Contains(vendorCapabilities[:], m.name)
	})
	dropped := len(n.members) < before
	for _, m := range n.members {
		dropped = dropVendors(m.value) || dropped
	}
	for _, item := range n.items {
		dropped = dropVendors(item) || dropped
	}
	return dropped
}

// dropCapabilities takes out whole capabilities that lost a URL: a WebSocket capability without one breaks clients (RFC 8887, section 3).
func dropCapabilities(root *jsonNode, judged []Suggestion) {
	capabilities := root.member("capabilities")
	if capabilities == nil {
		return
	}
	lost := make(map[string]bool)
	for _, s := range judged {
		parts := strings.SplitN(s.Path, "/", 4)
		if s.Verdict != Keep && s.Verdict != Rewrite && len(parts) == 4 && strings.EqualFold(parts[1], "capabilities") {
			lost[parts[2]] = true
		}
	}
	capabilities.members = slices.DeleteFunc(capabilities.members, func(m jsonMember) bool { return lost[pointerToken(m.name)] })
}

// composeJMAP sends the client to the server, whose session object only the server can write.
func composeJMAP(q Inquiry, s Settings) (Answer, error) {
	return sendTo(q, 307, s.endpoint("jmap"))
}

// sendTo composes a redirect. A server at the very place that was asked would be a redirect to itself.
func sendTo(q Inquiry, status int, target string) (Answer, error) {
	switch {
	case target == "":
		return Answer{}, fmt.Errorf("%w: %v has no place for them", ErrCannotCarry, q.Dialect)
	case q.Request.URL != nil && isPlace(q.Request, target):
		return Answer{}, ErrOwnPlace
	}
	return Answer{Status: status, Header: Header{"Location": {target}, "Cache-Control": {"no-store"}}}, nil
}

// isPlace reports whether a request asks at the very place that target is.
func isPlace(r Request, target string) bool {
	host, port := urlHost(target)
	scheme, _, _ := strings.Cut(target, ":")
	return strings.EqualFold(scheme, r.URL.Scheme) && host == hostName(r.Host()) && cmp.Or(port, 443) == cmp.Or(portBehind(r.URL.Host), 443) &&
		strings.HasSuffix(strings.TrimRight(target, "/"), normalPath(r.URL.Path))
}
