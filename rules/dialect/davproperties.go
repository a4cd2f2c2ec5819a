package dialect

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// Behind the well-known place a client goes on by properties, from wherever it was sent, or from the URL that its user has typed: the principal says where
// the calendars are (RFC 6764, section 6), which may be on any host, and the client logs in there. The places look like any other, so it is the properties
// that are known, in the question ([RecognisePropfind]) and in a multistatus, and a redirect of a PROPFIND. Lists of events have none of them.
//
// The properties are those of RFC 5397, section 3, RFC 3744, sections 4.2 and 5.8, RFC 4791, section 6.2.1, and RFC 6352, section 7.1.1.
var homeProperties = [...]string{"current-user-principal", "principal-url", "principal-collection-set", "calendar-home-set", "addressbook-home-set"}

// hasHomeProperty reports whether a text names one of the homeProperties.
func hasHomeProperty(text []byte) bool {
	text = bytes.ToLower(text)
	return slices.ContainsFunc(homeProperties[:], func(name string) bool { return bytes.Contains(text, []byte(name)) })
}

// listsOtherHost reports whether a list of collections has one that is not at the asked host: a client logs in there as it does where a property points to. Lists of what is in a collection
// say nothing of resource types. Where clients read an href in different ways (an element or a comment in it, entities, control characters, which vdirsyncer 0.19 takes out first)
// the list is looked at.
func listsOtherHost(text []byte, asked string) bool {
	if !containsFold(text, "resourcetype") {
		return false
	}
	d := newSniffer(withoutDeclaration(withoutControls(text)))
	var open []string
	var href strings.Builder
	for {
		token, err := d.RawToken()
		if err != nil {
			return false
		}
		inside := len(open) > 1 && open[len(open)-1] == "href" && open[len(open)-2] == "response"
		switch token := token.(type) {
		case xml.StartElement:
			if inside {
				return true
			}
			open = append(open, strings.ToLower(token.Name.Local))
			href.Reset()
		case xml.CharData:
			if inside {
				href.Write(token)
			}
		case xml.EndElement:
			if value := strings.TrimSpace(href.String()); inside && !relative(value) {
				if host, _ := urlHost(value); host != hostName(asked) {
					return true
				}
			}
			open = open[:max(0, len(open)-1)]
		case xml.Directive:
			return true
		default:
			if inside {
				return true
			}
		}
	}
}

// withoutControls is a text without the characters that XML does not know.
func withoutControls(text []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			return -1
		}
		return r
	}, text)
}

// RecognisePropfind recognises the question of a WebDAV client for its principal or its home sets, wherever it asks: Evolution does so with the password at the root of the host that its
// user has typed, before it asks the well-known place. The inquiry's subjects are those of [CarrierSubjects].
func RecognisePropfind(r Request) (Inquiry, bool) {
	if r.Method != "PROPFIND" {
		return Inquiry{}, false
	}
	t, _ := r.bodyText()
	if !hasHomeProperty(t.data) {
		return Inquiry{}, false
	}
	return Inquiry{Dialect: DAV, Subjects: CarrierSubjects(r), Request: r}, true
}

// IsPropfindRedirect reports whether an answer sends a WebDAV client to another place, which it would log in to. Such an answer need not have a body that is
// [Sniffable].
func IsPropfindRedirect(r Request, a Answer) bool { return r.Method == "PROPFIND" && IsRedirect(a) }

// davProperty is the protocol whose server a property names; "" where it may be either.
func davProperty(e *etree.Element) string {
	for ; e != nil; e = e.Parent() {
		switch strings.ToLower(e.Tag) {
		case "calendar-home-set":
			return "caldav"
		case "addressbook-home-set":
			return "carddav"
		}
	}
	return ""
}

// dropWords takes out the properties that hold words in which a host could stand (a calendar's name, the user's other addresses): no client goes on by them,
// and an answer that is written anew must name none.
func dropWords(e *etree.Element) {
	for _, c := range e.ChildElements() {
		if is(e, "prop") && hasWords(c) {
			e.RemoveChild(c)
			continue
		}
		dropWords(c)
	}
}

// hasWords reports whether a dot stands below e where no suggestion is.
func hasWords(e *etree.Element) bool {
	if text := elementText(e); strings.ContainsAny(text, ".。．｡") && (!is(e, "href") || is(davUnit(e), "calendar-user-address-set")) {
		return true
	}
	return slices.ContainsFunc(e.ChildElements(), hasWords)
}

// davNamespaces are namespaces of properties that servers and clients have beside those of the RFCs, and that are URLs: names that nobody contacts.
var davNamespaces = [...]string{
	"http://calendarserver.org/ns/", "http://apple.com/ns/ical/", "http://me.com/_namespace/", "http://sabredav.org/ns", "http://owncloud.org/ns",
	"http://nextcloud.com/ns", "http://nextcloud.org/ns", "http://open-collaboration-services.org/ns", "http://open-cloud-mesh.org/ns", "http://groupdav.org/",
	"http://radicale.org/ns/", "http://davical.org/ns/", "http://cyrusimap.org/ns/", "http://bedework.org/ns/", "http://www.open-xchange.org",
	"http://www.w3.org/2001/XMLSchema-instance", "http://www.w3.org/2001/XMLSchema",
}

// davTokens are how the sync tokens and tags of servers begin where they look like URLs: SabreDAV's (Nextcloud, ownCloud, Baïkal) and Radicale's.
var davTokens = [...]string{"http://sabre.io/ns/sync/", "http://radicale.org/ns/sync/"}

// davIdentifierURIs empties the declarations of davNamespaces, and takes davTokens from where a text begins.
var davIdentifierURIs = func() *strings.Replacer {
	var pairs []string
	for _, name := range davNamespaces {
		pairs = append(pairs, `="`+name+`"`, `=""`, "='"+name+"'", "=''")
	}
	for _, token := range davTokens {
		pairs = append(pairs, ">"+token, ">")
	}
	return strings.NewReplacer(pairs...)
}()
