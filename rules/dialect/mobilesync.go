package dialect

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// POX Autodiscover with the schema for phones (Exchange ActiveSync). Places and requests are those of POX, but for the request's namespace,
// .../mobilesync/requestschema/2006; the answer is
//
//	<Autodiscover><Response><User><EMailAddress>user@lab.test</EMailAddress></User><Action><Settings><Server><Type>MobileSync</Type>
//	 <Url>https://mail.lab.test/Microsoft-Server-ActiveSync</Url><Name>…</Name></Server></Settings></Action></Response></Autodiscover>
//
// or an Action with the address of another account (Redirect) or an Error. autodiscover-email-settings answers both schemas in one document,
// so the reader is that of POX. As long as the body is not there, POX claims the request: it is what asks for the body.
//
// A session that runs already is sent elsewhere with 451 and X-MS-Location (MS-ASHTTP 3.1.5.2.2), which Sniff finds and Read takes for a
// redirect.
var mobilesync = wireFormat{
	info: Info{
		ID:       MobileSync,
		Name:     "mobilesync",
		Title:    "POX Autodiscover, MobileSync schema (XML)",
		Citation: "MS-ASCMD 2.2.1.1, MS-OXDISCO",
		Clients:  "Android Exchange, iOS, Nine, Outlook mobile, Windows Mail",
	},
	recognise: func(r Request, host, path string) bool {
		return len(r.Body) > 0 && pox.recognise(r, host, path) && isMobileSync(r)
	},
	bodySubjects: poxBodySubjects,
	pathSubjects: pathAddresses,
	secretFree:   poxSecretFree,
	read:         readMobileSync,
	refuse:       refuseMobileSync,
	compose:      composeMobileSync,
}

// isMobileSync reports whether a request's body names the schema, without regard to case and in whatever coding and charset.
func isMobileSync(r Request) bool {
	t, _ := r.bodyText()
	return containsFold(t.data, "/mobilesync/requestschema")
}

func readMobileSync(q Inquiry, t text) (*Document, error) {
	x, err := parseXML(t)
	if err != nil {
		return nil, err
	}
	w := newPOXWalk(x)
	w.asked = q.Subjects
	w.element(x.root, &place{tag: x.root.Tag})
	for i, spot := range w.spots {
		if server := mobileServer(spot.element); server != nil {
			w.spots[i].unit = server
			w.found[i].Protocol = mobileProtocol(childText(server, "Type"))
		}
	}
	d := x.document(t, w.found, w.about)
	d.edit = func(judged []Suggestion) (Answer, error) { return editMobileSync(x, w.spots, judged) }
	if err := cmp.Or(w.err, w.ecp.verify()); err != nil {
		return d, err
	}
	return d, x.verify("Autodiscover", w.found)
}

// mobileServer is the Server around e that has elements in it. Its Url, Name and ServerData make no sense without each other: Name repeats
// the Url, and clients that were read (Android, EasAutoDiscover.java) take a Url only after its Type.
func mobileServer(e *etree.Element) *etree.Element { return ancestor(e.Parent(), "Server") }

// mobileProtocol is what a server's Type stands for: MobileSync is ActiveSync, CertEnroll the enrolment of certificates (MS-ASCMD 2.2.3.185.2).
func mobileProtocol(kind string) string {
	if strings.EqualFold(kind, "MobileSync") {
		return "activesync"
	}
	return strings.ToLower(kind)
}

const (
	mobileFrame  = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
	mobileSchema = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
)

// mobileNotFound says that there is no such provider: MS-ASCMD 4.2.5. Time and Id serve the server's own log; they are constant, so that
// the same question gets the same answer.
const mobileNotFound = `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="` + mobileFrame + `"><Response xmlns="` + mobileSchema + `">` +
	`<Error Time="00:00:00.0000000" Id="1000000000"><ErrorCode>601</ErrorCode><Message>Provider is not available</Message><DebugData /></Error>` +
	`</Response></Autodiscover>`

// refuseMobileSync answers a POST with error 601. A command of a running session is answered 404, as is everything else: it is no
// discovery, and its client would take the document for a broken command.
func refuseMobileSync(q Inquiry) Answer {
	if q.Request.Method != "POST" || strings.HasPrefix(normalPath(q.Request.URL.Path), "/microsoft-server-activesync") {
		return notFound()
	}
	return composed(typeXML, mobileNotFound)
}

// composeMobileSync writes the one server that phones look for (MS-ASCMD 4.2).
func composeMobileSync(_ Inquiry, s Settings) (Answer, error) {
	v, ok := s.server("activesync")
	if !ok {
		return Answer{}, fmt.Errorf("%w: phones are told of an ActiveSync server only", ErrCannotCarry)
	}
	root := etree.NewElement("Autodiscover")
	root.CreateAttr("xmlns", mobileFrame)
	response := root.CreateElement("Response")
	response.CreateAttr("xmlns", mobileSchema)
	textElement(response, "Culture", "en:us")
	user := response.CreateElement("User")
	textElement(user, "DisplayName", s.displayName())
	textElement(user, "EMailAddress", s.Address)
	server := response.CreateElement("Action").CreateElement("Settings").CreateElement("Server")
	textElement(server, "Type", "MobileSync")
	textElement(server, "Url", v.endpoint())
	textElement(server, "Name", v.endpoint())
	return (&xmlDocument{root: root}).write(typeXML)
}
