package dialect

import (
	"cmp"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"strings"
	"unicode"

	"github.com/beevik/etree"
)

// POX Autodiscover ("plain old XML") with the Outlook schema. The client posts
//
//	<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
//	 <Request><EMailAddress>user@lab.test</EMailAddress>
//	  <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>
//	 </Request></Autodiscover>
//
// and is answered with Autodiscover/Response/Account/Protocol[*], with a redirect to another URL or address, or with an Error. A GET of
// the same path is a probe for a redirect and for X-SOAP-Enabled, or a client that takes any answer.
var pox = wireFormat{
	info: Info{
		ID:       POX,
		Name:     "pox",
		Title:    "POX Autodiscover, Outlook schema (XML)",
		Citation: "MS-OXDSCLI, MS-OXDISCO",
		Clients:  "Outlook, Thunderbird, Evolution-EWS, exchangelib, Delta Chat, FairEmail, eM Client",
		Services: []Service{{
			Name:  "office365",
			Hosts: []string{"autodiscover-s.outlook.com", "autodiscover.exchange.microsoft.com", "outlook.com", "outlook.office365.com"},
			Note:  "these hosts also serve the mail itself, so switching this on opens more than discovery",
		}},
	},
	recognise: func(_ Request, _, path string) bool {
		return path == "/autodiscover" || strings.HasSuffix(path, "/autodiscover.xml") && strings.Contains(path, "/autodiscover/")
	},
	bodySubjects: poxBodySubjects,
	pathSubjects: pathAddresses, // Exchange has the mailbox of an explicit log-on there: /autodiscover/user@lab.test/autodiscover.xml
	secretFree:   poxSecretFree,
	read:         readPOX,
	refuse:       refusePOX,
	compose:      composePOX,
}

// poxBodySubjects finds the addresses in a request document: MS-OXDSCLI 2.2.3.1.1.3 (EMailAddress); a LegacyDN names nobody outside its
// organisation. Where the document cannot be read to its end, every address in it counts: better to guard too much than to miss the one.
func poxBodySubjects(r Request) []Subject {
	t, whole := r.bodyText()
	if !whole {
		return addressesAnywhere(string(t.data))
	}
	all := poxElements(t.data)
	if len(all) == 0 { // a form, an attribute, an element of another name
		return addressesAnywhere(string(t.data))
	}
	return all
}

// poxElements finds them where they belong.
func poxElements(data []byte) []Subject {
	if x, ok := readPlainXML(data); ok {
		defer x.free()
		return poxAddresses(nil, x.root)
	}
	d := newSniffer(data)
	var all []Subject
	var value strings.Builder
	inside := false
	for {
		token, err := d.RawToken()
		switch token := token.(type) {
		case xml.StartElement:
			inside = strings.EqualFold(token.Name.Local, "EMailAddress")
		case xml.EndElement:
			all = append(all, addresses(value.String(), "body")...)
			value.Reset()
			inside = false
		case xml.CharData:
			if inside {
				value.Write(token)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return append(all, addresses(value.String(), "body")...)
		case err != nil:
			return addressesAnywhere(string(data))
		}
	}
}

// poxAddresses finds them in a document that is plain.
func poxAddresses(all []Subject, e *etree.Element) []Subject {
	if is(e, "EMailAddress") {
		all = append(all, addresses(elementText(e), "body")...)
	}
	for c := range e.ChildElementsSeq() {
		all = poxAddresses(all, c)
	}
	return all
}

// bodyAddresses reads whom a question is about that nobody has specified: whoever sends a body has the address in it in one of its forms.
func bodyAddresses(r Request) []Subject {
	t, _ := r.bodyText()
	return addressesAnywhere(string(t.data))
}

// addressesAnywhere finds whatever reads like an address in a text without structure, but for what stands behind the name of a password: P@ssw0rd is nobody's, and whom a
// question is about is told in the log.
func addressesAnywhere(s string) []Subject {
	var all []Subject
	secret := false
	for word := range strings.FieldsFuncSeq(html.UnescapeString(s), func(r rune) bool { return r <= ' ' || strings.ContainsRune("<>\"'=,;", r) }) {
		if word == ":" { // of JSON
			continue
		}
		if !secret {
			all = append(all, addresses(word, "body")...)
		}
		secret = namesPassword(word)
	}
	return all
}

// namesPassword reports whether what stands behind a word, in a form, in XML or in JSON, is a password: IncomingPassword, wsse:Password (of whose attributes the last one
// ends in #PasswordText: WS-Security, UsernameToken Profile 1.1), cn=Ann&_pass.
func namesPassword(word string) bool {
	name := strings.ToLower(word[len(strings.TrimRightFunc(word, unicode.IsLetter)):])
	switch name {
	case "pass", "passwd", "passwort", "passwordtext", "pwd", "pw":
		return true
	}
	return strings.HasSuffix(name, "password") && word[0] != '/' // behind an element that is empty stands another one's name
}

// poxKinds says what the elements of an answer hold, by local name in lower case: MS-OXDSCLI 2.2.4.1.1.2. Elements named ecpurl-* are
// fragments relative to EcpUrl.
var poxKinds = map[string]Kind{
	"server": KindHostname, "publicfolderserver": KindHostname, "ad": KindHostname,
	"port": KindPort, "directoryport": KindPort, "referralport": KindPort,
	"asurl": KindURL, "ewsurl": KindURL, "emwsurl": KindURL, "ewspartnerurl": KindURL, "sharingurl": KindURL, "oofurl": KindURL,
	"umurl": KindURL, "oaburl": KindURL, "ecpurl": KindURL, "owaurl": KindURL, "internalurl": KindURL, "externalurl": KindURL,
	"groupinginformation": KindURL, "servicehome": KindURL, "image": KindURL, "url": KindURL,
	"redirecturl": KindRedirect, "redirectaddr": KindAddress, "redirect": KindAddress, // the last one: MS-ASCMD 2.2.3.147
	"smtpaddress": KindAddress, "ownersmtpaddress": KindAddress, "autodiscoversmtpaddress": KindAddress,
	"serverdn": KindOpaque, "mdbdn": KindOpaque, "certprincipalname": KindOpaque,
}

// poxKind is what an element of that name holds; the zero Kind where the schema says nothing of a server.
func poxKind(tag string) Kind { return kindOf(poxKinds, tag) }

// holdsPOXValue reports whether clients take a host, a URL or an address out of an element. A phone's Server, which is in none of the poxUnits, has elements in it, and its Name
// is often its URL.
func holdsPOXValue(e *etree.Element) bool {
	kind := poxKind(e.Tag)
	return kind != 0 && kind != KindPort && (!is(e, "Server") || ancestor(e.Parent(), poxUnits[:]...) != nil) || is(e, "Name")
}

// poxUnits are the elements that make no sense without their server and go with it.
var poxUnits = [...]string{"Protocol", "AlternativeMailbox", "PublicFolderInformation"}

// poxWalk lists the suggestions of an answer in document order.
type poxWalk struct {
	found []Suggestion
	spots []xmlSpot
	about []Subject
	ecp   fragments
	// asked are those whom the request is about.
	asked []Subject
	// protocol is that of the Protocol around what is read.
	protocol string
	err      error
}

// newPOXWalk makes room for what such documents hold: every fourth element or so suggests something.
func newPOXWalk(x *xmlDocument) poxWalk {
	return poxWalk{found: make([]Suggestion, 0, 1+x.elements/4), spots: make([]xmlSpot, 0, 1+x.elements/4)}
}

func readPOX(q Inquiry, t text) (*Document, error) {
	x, err := parseXML(t)
	if err != nil {
		return nil, err
	}
	if child(child(x.root, "Response"), "Action") != nil && !holdsAny(x.root, "Account", "Protocol") { // some servers have one schema for everybody
		x.free()
		return readMobileSync(q, t)
	}
	w := newPOXWalk(x)
	w.asked = q.Subjects
	w.element(x.root, &place{tag: x.root.Tag})
	d := x.document(t, w.found, w.about)
	d.edit = func(judged []Suggestion) (Answer, error) { return editPOX(x, w.spots, judged) }
	if err := cmp.Or(w.err, w.ecp.verify()); err != nil {
		return d, err
	}
	return d, x.verify("Autodiscover", w.found)
}

func (w *poxWalk) element(e *etree.Element, at *place) {
	around := w.protocol
	if is(e, "Protocol") {
		w.protocol = protocolType(e)
	}
	w.itself(e, at)
	for c, at := range children(e, at) {
		w.element(c, at)
	}
	w.protocol = around
}

// itself looks at an element without its children. It is kept out of element, which calls itself, because inlined it makes each level of a
// document cost two KiB of stack.
//
//go:noinline
func (w *poxWalk) itself(e *etree.Element, at *place) {
	value := strings.TrimSpace(elementText(e))
	nested := hasElements(e)
	if nested && (value != "" || holdsPOXValue(e)) {
		w.err = errMixed
	}
	w.attributes(e, at)
	if !nested && value != "" {
		w.value(e, at, value)
	}
}

// attributes finds URLs in attributes. No published schema has any; namespaces are names, not addresses.
func (w *poxWalk) attributes(e *etree.Element, at *place) {
	for _, a := range e.Attr {
		if isNamespace(a) {
			continue
		}
		if strings.Contains(a.Value, "//") {
			if s, ok := suggestURL(KindURL, at.String()+"/@"+a.Key, w.protocol, a.Value); ok {
				w.add(s, xmlSpot{element: e, attribute: a.FullKey()})
			}
		}
	}
}

func (w *poxWalk) value(e *etree.Element, at *place, value string) {
	var s Suggestion
	var ok bool
	unit := e
	w.ecp.see(e.Tag, value)
	switch kind := poxKind(e.Tag); kind {
	case KindHostname:
		if is(e, "Server") {
			unit = ancestor(e, poxUnits[:]...)
		}
		s, ok = suggestHost("", w.protocol, value)
	case KindPort:
		s, ok = suggestPort("", w.protocol, value, poxServer(e))
	case KindURL, KindRedirect:
		if is(e, "Image") || is(e, "GroupingInformation") { // a file's name, a site's
			s, ok = suggestURL(kind, "", w.protocol, value)
		} else {
			s, ok = suggestWholeURL(kind, "", w.protocol, value)
		}
	case KindAddress:
		if !is(e, "AutoDiscoverSMTPAddress") {
			unit = addressUnit(e)
		} else {
			w.about = append(w.about, addresses(value, "body")...)
		}
		s, ok = suggestAddress("", w.protocol, value)
	case KindOpaque:
		s, ok = suggestName("", w.protocol, value)
	default:
		s, ok = w.other(e, value)
		if is(e, "LoginName") {
			unit = loginUnit(e)
		}
	}
	if ok {
		s.Path = at.String()
		w.add(s, xmlSpot{element: e, unit: unit})
	}
}

// other looks at elements that the schema does not have, or that hold no server by it.
func (w *poxWalk) other(e *etree.Element, value string) (Suggestion, bool) {
	switch {
	case is(e, "EMailAddress"):
		w.about = append(w.about, addresses(value, "body")...)
	case is(e, "LoginName") && isOwnLogin(value, w.asked):
	case is(e, "LoginName"): // Thunderbird knows the variables of its own format here, too
		if strings.Contains(value, "%") {
			if err := placeholdersOf(w.asked).login(value); err != nil {
				w.err = err
			}
		}
		return suggestLogin("", w.protocol, value, w.asked)
	case (strings.Contains(value, "//") || webScheme(value)) && !is(e, "AcceptableResponseSchema"):
		return suggestURL(KindURL, "", w.protocol, value)
	}
	return Suggestion{}, false
}

func (w *poxWalk) add(s Suggestion, spot xmlSpot) {
	w.found = append(w.found, s)
	w.spots = append(w.spots, spot)
}

// suggestName makes a suggestion of msstd:HOST (CertPrincipalName) or of a distinguished name that holds a server's host name
// (/o=…/cn=Servers/cn=HOST) or address (…/cn=GUID@DOMAIN/cn=Microsoft Private MDB). A distinguished name without a dotted one names a server only inside its own directory and is none.
func suggestName(path, protocol, value string) (Suggestion, bool) {
	host := value
	if prefix, rest, ok := strings.Cut(value, ":"); ok && strings.EqualFold(prefix, "msstd") {
		host = rest
	} else if i := strings.LastIndex(strings.ToLower(value), "/cn=servers/cn="); i >= 0 {
		host, _, _ = strings.Cut(value[i+len("/cn=servers/cn="):], "/")
	}
	if strings.HasPrefix(host, "/") || !strings.Contains(host, ".") {
		return Suggestion{}, false
	}
	s := Suggestion{Path: path, Kind: KindHostname, Protocol: protocol, Host: hostName(host), Was: value}
	if name, below := strings.CutPrefix(host, "*."); below && hostName(name) != "" { // of a certificate, for whatever is below
		s.Host = "*." + hostName(name)
	}
	if strings.Contains(host, "@") {
		server, _ := suggestMailboxServer(path, protocol, host)
		s.Kind, s.Host = KindAddress, server.Host
	}
	return s, true
}

// protocolType is the Type of a Protocol: an element of its own or, for mapiHttp, an attribute.
func protocolType(protocol *etree.Element) string {
	if t := childText(protocol, "Type"); t != "" {
		return strings.ToLower(t)
	}
	return strings.ToLower(protocol.SelectAttrValue("Type", ""))
}

// poxServer is the host that a port element belongs to.
func poxServer(e *etree.Element) string {
	s, _ := suggestHost("", "", childText(e.Parent(), "Server"))
	return s.Host
}

// loginUnit is what goes when a user name goes.
func loginUnit(e *etree.Element) *etree.Element {
	if u := ancestor(e, "Protocol"); u != nil {
		return u
	}
	return e
}

// addressUnit is what goes when an address of another mailbox goes.
func addressUnit(e *etree.Element) *etree.Element {
	if u := ancestor(e, "AlternativeMailbox", "PublicFolderInformation"); u != nil {
		return u
	}
	return e
}
