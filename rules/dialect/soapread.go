package dialect

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// soapKinds says what the elements of an answer hold, by local name in lower case (MS-OXWSADISC 3.1.4, the complex types of each
// operation). Value is not among them: its setting's Name says what it holds.
var soapKinds = map[string]Kind{
	"hostname": KindHostname, "server": KindHostname, "domain": KindHostname, "port": KindPort,
	"url": KindURL, "serviceurl": KindURL, "locationurl": KindURL, "endpoint": KindURL,
	"targetautodiscoverepr": KindURL, "targetsharingepr": KindURL,
	"smtpaddress": KindAddress, "ownersmtpaddress": KindAddress, "redirecttarget": KindRedirect,
	"applicationuri": KindOpaque, "targetapplicationuri": KindOpaque, "uri": KindOpaque,
}

// holdsSOAPValue reports whether clients take a host, a URL, an address or a setting's name or value out of an element.
func holdsSOAPValue(e *etree.Element) bool {
	kind := kindOf(soapKinds, e.Tag)
	return kind != 0 && kind != KindPort || isSetting(e.Parent()) && (is(e, "Name") || is(e, "Value"))
}

// soapUnits are the elements that make no sense without what was taken out of them.
var soapUnits = [...]string{
	"ProtocolConnection", "WebClientUrl", "AlternateMailbox", "DocumentSharingLocation", "UserSetting", "DomainSetting", "TokenIssuer",
	"OrganizationRelationshipSettings",
}

// soapWalk lists the suggestions of an answer in document order.
type soapWalk struct {
	found []Suggestion
	spots []xmlSpot
	// owner is, for each suggestion, the index of its response, or -1.
	owner     []int
	responses []*etree.Element
	inside    int    // the response that is being read, or -1
	setting   string // the Name of the setting that is being read
	about     []Subject
	ecp       fragments
	err       error
}

func readSOAP(q Inquiry, t text) (*Document, error) {
	x, err := parseXML(t)
	if err != nil {
		return nil, err
	}
	w := soapWalk{inside: -1}
	w.element(x.root, &place{tag: x.root.Tag})
	w.assign(readSOAPQuestion(q.Request))
	d := x.document(t, w.found, w.about)
	d.edit = func(judged []Suggestion) (Answer, error) { return w.edit(x, judged) }
	switch err := cmp.Or(w.err, w.ecp.verify()); {
	case err != nil:
		return d, err
	case len(w.found) == 0:
		return d, fmt.Errorf("%w: no server in the answer", ErrNoSettings)
	case !is(x.root, "Envelope"):
		return d, fmt.Errorf("%w: settings inside a foreign document", ErrUnreadable)
	}
	return d, nil
}

// assign says for whom each suggestion is, where several were asked about: the n-th response belongs to the n-th user (MS-OXWSADISC 3.1.4;
// the answer has no other link). A request that is not at hand, or that cannot be read to its end, leaves every suggestion to everybody.
func (w *soapWalk) assign(q soapQuestion) {
	if !q.whole || len(q.asked) == 0 || len(w.responses) == 0 {
		return
	}
	if len(q.asked) != len(w.responses) {
		w.err = fmt.Errorf("%w: %d responses to %d users or domains", ErrUnreadable, len(w.responses), len(q.asked))
		return
	}
	if len(q.asked) == 1 {
		return
	}
	if !oneList(w.responses) {
		w.err = fmt.Errorf("%w: responses that are not all in one list", ErrUnreadable)
		return
	}
	for i, owner := range w.owner {
		if owner >= 0 {
			w.found[i].Subject = q.asked[owner].domain()
		}
	}
}

// oneList reports whether responses are the children of one element, all of one name, and all that it has. Otherwise clients count differently: one that
// reads namespaces, or letters as they are written, passes over what another counts, and everybody behind it would get what is for somebody else.
func oneList(responses []*etree.Element) bool {
	first := responses[0]
	list := first.Parent()
	for _, r := range responses {
		if r.Parent() != list || r.Tag != first.Tag || r.NamespaceURI() != first.NamespaceURI() {
			return false
		}
	}
	return list != nil && ancestor(list, "Body") != nil && len(list.ChildElements()) == len(responses) && (first.Tag == "UserResponse" || first.Tag == "DomainResponse")
}

func (w *soapWalk) element(e *etree.Element, at *place) {
	if is(e, "UserResponse") || is(e, "DomainResponse") {
		if w.inside >= 0 {
			w.err = fmt.Errorf("%w: a response inside a response", ErrUnreadable)
		}
		outside := w.inside
		w.inside = len(w.responses)
		w.responses = append(w.responses, e)
		defer func() { w.inside = outside }()
	}
	value := strings.TrimSpace(elementText(e))
	nested := hasElements(e)
	if nested && (value != "" || holdsSOAPValue(e)) {
		w.err = errMixed
	}
	if isSetting(e) {
		around := w.setting
		w.setting = childText(e, "Name")
		defer func() { w.setting = around }()
		if twice(e, "Name") {
			w.err = fmt.Errorf("%w: a setting with two names", ErrUnreadable)
		}
	}
	w.attributes(e, at)
	if !nested && value != "" {
		w.value(e, at.String(), value)
	}
	for c, at := range children(e, at) {
		w.element(c, at)
	}
}

// attributes finds URLs in attributes. No published schema has any; namespaces are names, not addresses.
func (w *soapWalk) attributes(e *etree.Element, at *place) {
	for _, a := range e.Attr {
		if isNamespace(a) || isSchemaURL(a.Value) {
			continue
		}
		if strings.Contains(a.Value, "//") {
			s, ok := suggestURL(KindURL, at.String()+"/@"+a.Key, soapProtocol(w.setting), a.Value)
			w.add(s, ok, xmlSpot{element: e, attribute: a.FullKey()})
		}
	}
}

func (w *soapWalk) value(e *etree.Element, path, value string) {
	kind := kindOf(soapKinds, e.Tag)
	switch {
	case ancestor(e, "Header") != nil && isSchemaURL(value): // WS-Addressing: Action, and addresses that stand for nobody
		return
	case is(e, "Value") && isSetting(e.Parent()):
		kind = settingKind(strings.ToLower(w.setting))
		w.ecp.see(w.setting, value)
		path += "[Name=" + w.setting + "]"
		if strings.EqualFold(w.setting, "AutoDiscoverSMTPAddress") {
			w.about = append(w.about, addresses(value, "body")...)
		}
	}
	s, ok := soapSuggestion(e, kind, path, soapProtocol(w.setting), value)
	w.add(s, ok, xmlSpot{element: e, unit: soapUnit(e)})
}

// soapSuggestion reads a value as what its kind says, or as a URL where it has an authority: that says more than any schema.
func soapSuggestion(e *etree.Element, kind Kind, path, protocol, value string) (Suggestion, bool) {
	switch {
	case kind == KindRedirect && strings.Contains(value, "@") && !strings.Contains(value, "//") && !ambiguous(value) && !webScheme(value):
		return suggestAddress(path, protocol, value)
	case kind == KindRedirect, kind == KindURL:
		return suggestWholeURL(kind, path, protocol, value)
	case strings.Contains(value, "//") || strings.Contains(value, `\\`) || webScheme(value):
		return suggestURL(KindURL, path, protocol, value)
	case kind == KindHostname:
		return suggestHost(path, protocol, value)
	case kind == KindPort:
		host, _ := suggestHost("", "", childText(e.Parent(), "Hostname"))
		return suggestPort(path, protocol, value, host.Host)
	case kind == KindAddress:
		return suggestAddress(path, protocol, value)
	case kind == KindOpaque && isSetting(e.Parent()):
		return suggestName(path, protocol, value)
	case kind == KindOpaque:
		return suggestURI(path, value)
	}
	return Suggestion{}, false
}

func (w *soapWalk) add(s Suggestion, ok bool, spot xmlSpot) {
	if ok {
		w.found = append(w.found, s)
		w.spots = append(w.spots, spot)
		w.owner = append(w.owner, w.inside)
	}
}

// settingKind tells from a setting's name, in lower case, what its Value holds (MS-OXWSADISC 3.1.4, GetUserSettings). The kind of all
// others shows in the value.
func settingKind(name string) Kind {
	switch {
	case name == "autodiscoversmtpaddress", name == "publicfolderinformation":
		return KindAddress
	case strings.HasSuffix(name, "url"):
		return KindURL
	case strings.HasSuffix(name, "server"):
		return KindHostname
	case strings.HasSuffix(name, "dn"), name == "certprincipalname":
		return KindOpaque
	}
	return 0
}

// suggestURI makes a suggestion of a federation's URI where it names a host: as such (FYDIBOHF25SPDLT.lab.test) or as a URL does.
// urn:federation:… names none.
func suggestURI(path, value string) (Suggestion, bool) {
	scheme, _, opaque := strings.Cut(value, ":")
	if opaque && !strings.Contains(scheme, ".") {
		return Suggestion{}, false
	}
	return suggestHost(path, "", value)
}

// isSetting reports whether e is a setting that a Name and a Value make up.
func isSetting(e *etree.Element) bool { return is(e, "UserSetting") || is(e, "DomainSetting") }

// twice reports whether e has more than one child element of that local name.
func twice(e *etree.Element, name string) bool {
	n := 0
	for c := range e.ChildElementsSeq() {
		if is(c, name) {
			n++
		}
	}
	return n > 1
}

// isSchemaURL reports whether a value is a name out of a published schema, which looks like a URL and is none.
func isSchemaURL(value string) bool {
	value = strings.TrimPrefix(strings.TrimPrefix(value, "http://"), "https://")
	for _, home := range [...]string{"schemas.microsoft.com/", "schemas.xmlsoap.org/", "docs.oasis-open.org/", "www.w3.org/"} {
		if strings.HasPrefix(value, home) {
			return true
		}
	}
	return false
}

// soapProtocol is the mail protocol of a setting of that name: ExternalImap4Connections, InternalEwsUrl.
func soapProtocol(name string) string {
	name = strings.ToLower(name)
	for _, p := range [...]struct{ word, protocol string }{{"imap4", "imap"}, {"pop3", "pop3"}, {"smtpconn", "smtp"}, {"ews", "ews"}} {
		if strings.Contains(name, p.word) {
			return p.protocol
		}
	}
	return ""
}

// soapUnit is what is removed with e. A federation without its application is none.
func soapUnit(e *etree.Element) *etree.Element {
	unit := ancestor(e, soapUnits[:]...)
	if is(e, "ApplicationUri") {
		unit = ancestor(e, soapFederation+"ResponseMessage")
	}
	if unit == nil || is(e, "Domain") {
		return e
	}
	return unit
}
