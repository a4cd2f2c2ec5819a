package dialect

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// configHosts are the elements that hold a host name, or a URL where somebody was generous; lower case. An issuer is either.
var configHosts = [...]string{"hostname", "issuer"}

// configURLs are the elements and attributes that hold a URL, lower case: the draft's, those that its implementations add (serverURL:
// Gromox, Stalwart; ewsURL, easURL, owaURL: Thunderbird), and those of the old format (visiturl, the login pages).
var configURLs = [...]string{
	"url", "serverurl", "ewsurl", "easurl", "owaurl", "authurl", "tokenurl", "visiturl", "waitforredirectionurlprefix",
}

// configServices are the elements that describe one service each: without the place where the service is, they say nothing.
var configServices = [...]string{
	"incomingServer", "outgoingServer", "calendar", "addressBook", "fileShare", "chatServer", "videoConference", "setupServer", "oAuth2",
}

// configUnits are the elements that go as a whole when something in them goes: services, and pages for people.
var configUnits = append(configServices[:],
	"documentation", "enable", "instruction", "loginPage", "loginPageInfo", "clientConfigUpdate")

// IsPage reports whether a suggestion is a place where, by a clientConfig, people find help.
func (s Suggestion) IsPage() bool {
	return strings.HasPrefix(s.Path, "/clientConfig/") && (strings.Contains(s.Path, "/documentation") || strings.Contains(s.Path, "/enable") || strings.Contains(s.Path, "/instruction"))
}

// configWalk lists the suggestions of an answer in document order.
type configWalk struct {
	fill  placeholders
	asked []Subject
	found []Suggestion
	spots []xmlSpot
	about []Subject
	err   error
}

// readConfig reads a clientConfig. Thunderbird (140) would also take the document as JSON, in the shape of its own XML reader (JXON); no
// server is known to write that, no other client reads it, and so nothing in JSON is readable beyond doubt here.
func readConfig(q Inquiry, t text) (*Document, error) {
	if b := bytes.TrimLeft(t.data, " \t\r\n"); b[0] == '{' || b[0] == '[' {
		return nil, fmt.Errorf("%w: JSON where XML is expected", ErrUnreadable)
	}
	x, err := parseXML(t)
	if err != nil && !mentionsConfig(t.data) {
		return nil, fmt.Errorf("%w: a page, or nothing", ErrNoSettings)
	}
	if err != nil {
		return nil, err
	}
	w := configWalk{fill: placeholdersOf(q.Subjects), asked: q.Subjects}
	w.element(x.root, &place{tag: x.root.Tag})
	// Whom the answer says that it is for counts only where the request names nobody at all. A hoster's file lists all domains that it
	// serves, up to hundreds: one reserved name among them does not make the hoster's customers guarded.
	asked := q.Subjects
	if len(asked) > 0 {
		w.about = nil
	} else {
		asked = w.about
	}
	d := x.document(t, w.found, w.about)
	d.edit = func(judged []Suggestion) (Answer, error) {
		return editConfig(x, w.spots, judged, askedDomain(asked))
	}
	if w.err != nil {
		return d, w.err
	}
	return d, x.verify("clientConfig", w.found)
}

// mentionsConfig tells a broken document from the web server's page for what it does not have, which is no XML either.
func mentionsConfig(text []byte) bool {
	text = bytes.ToLower(text)
	for _, name := range [...]string{"clientconfig", "incomingserver", "outgoingserver"} {
		if bytes.Contains(text, []byte(name)) {
			return true
		}
	}
	return false
}

func (w *configWalk) element(e *etree.Element, at *place) {
	value := strings.TrimSpace(elementText(e))
	nested := hasElements(e)
	if nested && (value != "" || listed(configHosts[:], e.Tag) || listed(configURLs[:], e.Tag)) {
		w.err = errMixed
	}
	w.attributes(e, at)
	if !nested && value != "" {
		w.value(e, at, value)
	}
	for c, at := range children(e, at) {
		w.element(c, at)
	}
}

func (w *configWalk) attributes(e *etree.Element, at *place) {
	for _, a := range e.Attr {
		if isNamespace(a) {
			continue
		}
		if is(e, "emailProvider") && strings.EqualFold(a.Key, "id") {
			w.names(a.Value)
		}
		if !listed(configURLs[:], a.Key) && !absolute(a.Value) {
			continue
		}
		s, ok := w.fill.url(at.String()+"/@"+a.Key, configProtocol(e), a.Value)
		spot := xmlSpot{element: e, attribute: a.FullKey(), unit: configUnit(e)}
		if is(e, "clientConfig") || is(e, "emailProvider") {
			spot.unit = nil
		}
		w.add(s, ok, spot)
	}
}

func (w *configWalk) value(e *etree.Element, at *place, value string) {
	var s Suggestion
	var ok bool
	switch protocol := configProtocol(e); {
	case listed(configHosts[:], e.Tag):
		s, ok = w.fill.host(at.String(), protocol, value)
	case is(e, "port"):
		s, ok = suggestPort(at.String(), protocol, value, w.hostBeside(e))
	case listed(configURLs[:], e.Tag), absolute(value):
		s, ok = w.fill.url(at.String(), protocol, value)
	case is(e, "domain"):
		w.names(value)
	case is(e, "username") && !isOwnLogin(value, w.asked):
		if err := w.fill.login(value); err != nil {
			w.err = err
		}
		s, ok = suggestLogin(at.String(), protocol, value, w.asked)
	}
	w.add(s, ok, xmlSpot{element: e, unit: configUnit(e)})
}

// names notes a domain that the document says it is for.
func (w *configWalk) names(value string) {
	if domain := domainOf(strings.TrimSpace(value)); domain != "" && !strings.Contains(value, "%") {
		w.about = append(w.about, Subject{Domain: domain, Carrier: "body"})
	}
}

func (w *configWalk) add(s Suggestion, ok bool, spot xmlSpot) {
	if ok {
		w.found = append(w.found, s)
		w.spots = append(w.spots, spot)
	}
}

// hostBeside is the host that a port element belongs to.
func (w *configWalk) hostBeside(port *etree.Element) string {
	for _, name := range [...]string{"hostname", "url", "serverURL", "ewsURL"} {
		if value := childText(port.Parent(), name); value != "" {
			s, _ := w.fill.host("", "", value)
			return s.Host
		}
	}
	return ""
}

// configProtocol is the type of the service around e.
func configProtocol(e *etree.Element) string {
	if service := ancestor(e, configServices[:]...); service != nil && !is(service, "oAuth2") {
		return strings.ToLower(strings.TrimSpace(service.SelectAttrValue("type", "")))
	}
	return ""
}

// configUnit is what goes when something in e goes: the nearest element that is a unit, or e alone.
func configUnit(e *etree.Element) *etree.Element {
	if unit := ancestor(e, configUnits...); unit != nil {
		return unit
	}
	return e
}

// listed reports whether names, which are in lower case, have name in any case.
func listed(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
