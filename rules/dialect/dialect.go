package dialect

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"autodiscover-guard/rules/reserved"
)

// ID names a dialect. The zero ID is none: nothing may be concluded from it.
type ID uint8

// The dialects, in the order in which they are tried.
const (
	None ID = iota
	// Autodetect is Outlook's cloud service, the one of the incident.
	Autodetect
	// SOAP is Microsoft's Autodiscover as a SOAP service.
	SOAP
	// V2 is Microsoft's Autodiscover in JSON.
	V2
	// MobileSync is POX Autodiscover with the schema for phones.
	MobileSync
	// POX is Microsoft's "plain old XML" Autodiscover with the Outlook schema.
	POX
	// Autoconfig is Mozilla's clientConfig at the domain itself.
	Autoconfig
	// ISPDB is the same document from a central database.
	ISPDB
	// PACC is the JSON successor of Autoconfig.
	PACC
	// MobileConfig is Apple's configuration profile.
	MobileConfig
	// JMAP is the session resource at its well-known place.
	JMAP
	// DAV is the well-known redirect of CalDAV and CardDAV.
	DAV
	// DoH is DNS over HTTPS, for the names that discovery looks up.
	DoH
	// Identity is the look-up of who authenticates a domain's accounts.
	Identity
	// Suspected is anything else that names mail servers.
	Suspected
)

// String is the dialect's name in logs and configuration.
func (id ID) String() string {
	if f := format(id); f != nil {
		return f.info.Name
	}
	return "none"
}

// Info describes a dialect to people.
type Info struct {
	ID ID
	// Name is the dialect's name in logs and configuration.
	Name string
	// Title says what it is in words.
	Title string
	// Citation names the documents that define it.
	Citation string
	// Clients names programs that speak it.
	Clients string
	// Services are the central services of the dialect that answer for anybody's domain.
	Services []Service
}

// Service is a central discovery service: hosts that answer for domains that are not theirs.
type Service struct {
	// Name is the switch in the configuration (policy.services).
	Name string
	// Hosts are its host names; each stands for itself and everything below it.
	Hosts []string
	// Enforced says whether a guard opens these hosts unless it is told otherwise.
	Enforced bool
	// Note says what follows from switching it on.
	Note string
}

// Covers reports whether host, in lower case, belongs to the service.
func (s Service) Covers(host string) bool {
	for _, name := range s.Hosts {
		if reserved.Below(host, name) {
			return true
		}
	}
	return false
}

// Inquiry is a recognised discovery request.
type Inquiry struct {
	Dialect  ID
	Subjects []Subject
	// Request is the request that was recognised.
	Request Request
}

// AskedAddress is the address that is asked about: the body's, else the first one, and whom the client logs in as only where it says no other. It is empty where none is named.
func (q Inquiry) AskedAddress() string {
	address, login := "", true
	for _, s := range q.Subjects {
		switch isLogin := s.Carrier == CarrierLogin; {
		case s.Address == "":
		case s.Carrier == "body":
			return s.Address
		case address == "", login && !isLogin:
			address, login = s.Address, isLogin
		}
	}
	return address
}

// Document is an answer that was read.
type Document struct {
	// Suggestions are all that the answer suggests, in header fields and body, in that order, unjudged.
	Suggestions []Suggestion
	// Subjects are those that only the answer names.
	Subjects []Subject
	// Plain reports that any two parsers read the answer alike: no comments, CDATA, processing instructions or unusual charset. What
	// is not plain must not be passed for a guarded subject; [Document.Edit] writes it afresh.
	Plain bool
	// Body is the answer's body as a client reads it: without content codings and, where it is text, in UTF-8. It is nil where that cannot be said.
	Body []byte
	// Inside is the text of a body that is none itself (a binary or signed property list), string by string: whoever looks for names in what a
	// client gets looks there, too. It is nil where the body is text.
	Inside []byte
	// Sealed reports that the body is a signature with all that is signed in Inside, and nothing behind it. What else is in it are certificates, which name
	// hosts of their authorities that no mail client contacts.
	Sealed bool

	// edit writes the answer with the verdicts of the body's suggestions applied.
	edit func(judged []Suggestion) (Answer, error)
	// fixed: the document is signed or pinned and cannot be edited.
	fixed bool
	// target is where a redirect leads, and targetPath the suggestion that says so.
	target, targetPath string
	// arena is where the nodes of the document's tree lie; nil where there is no tree, or each node was allocated for itself.
	arena interface{ free() }
	// inHeader counts the suggestions that stand in header fields; they come first.
	inHeader int
}

// Errors that [Read], [Document.Edit] and [Compose] return, wrapped with what was seen.
var (
	// ErrUnreadable means that the answer cannot be read beyond doubt: broken, ambiguous, over a limit, or in an unknown coding.
	ErrUnreadable = errors.New("answer cannot be read beyond doubt")
	// ErrNoSettings means that the answer was read and holds no document of its dialect: an empty body, an error page.
	ErrNoSettings = errors.New("answer holds no settings")
	// ErrFixed means that the answer passes whole or not at all: it is signed, pinned by a digest elsewhere, or of no known form.
	ErrFixed = errors.New("answer must not be edited")
	// ErrCannotCarry means that the dialect has no place for the settings.
	ErrCannotCarry = errors.New("dialect cannot carry the settings")
	// ErrOwnPlace means that the dialect can only send elsewhere, and the server is where it was asked for. It is an ErrCannotCarry, too.
	ErrOwnPlace = fmt.Errorf("%w: the server is where it was asked for", ErrCannotCarry)
	// ErrNothingLeft means that an edit would leave no suggestion: the dialect's "no settings" says so better.
	ErrNothingLeft = errors.New("no suggestion is left")
)

// wireFormat is one dialect: the parts that a file per dialect fills in, always in this order.
type wireFormat struct {
	info Info
	// recognise reports whether a request speaks the dialect; host is Request.Host, path the normalised path. Every request that passes
	// through the guard asks all of them, so each looks first at what is cheapest and rarest, and none of them allocates.
	recognise func(r Request, host, path string) bool
	// bodySubjects reads whom the request's body is about; nil where bodies name nobody.
	bodySubjects func(r Request) []Subject
	// forms reports that bodies are forms of web pages: any other is a file that somebody puts there.
	forms bool
	// secretFree reports whether a body holds nothing that could be a secret; nil where nothing is known of bodies, which then never go to a stranger.
	secretFree func(r Request) bool
	// pathSubjects reads whom the request's path is about, as net/url decoded it and not normalised; nil where paths name nobody.
	pathSubjects func(path string) []Subject
	// querySubjects reads whom the request's query is about in ways of its own; nil where the usual parameters are all.
	querySubjects func(u *url.URL) []Subject
	// readBinary does the same as read for bodies that are no text; mine is false where the body is. It may be nil.
	readBinary func(mediaType string, body []byte) (d *Document, mine bool, err error)
	// read lists what a decoded body suggests.
	read func(q Inquiry, t text) (*Document, error)
	// identifierURIs takes URIs that only identify something, and that nobody contacts, out of a body (namespaces, capabilities); nil where a dialect has none.
	identifierURIs *strings.Replacer
	// refuse composes the native "no settings".
	refuse func(q Inquiry) Answer
	// compose writes a complete document from settings; nil where the dialect cannot carry any.
	compose func(q Inquiry, s Settings) (Answer, error)
}

// table lists the dialects in the order in which they are tried; a function, so that no package state has to be initialised.
func table() [14]*wireFormat {
	return [...]*wireFormat{
		&autodetect, &soap, &v2, &mobilesync, &pox, &autoconfig, &ispdb, &pacc, &mobileconfig, &jmap, &dav, &doh, &identity, &suspected,
	}
}

func format(id ID) *wireFormat {
	for _, f := range table() {
		if f.info.ID == id {
			return f
		}
	}
	return nil
}

// WithoutIdentifierURIs is an answer's text without the known URIs that only identify something (XML namespaces, JMAP capabilities), for whoever looks for hosts in
// it: nobody contacts those. Most dialects have none.
func WithoutIdentifierURIs(id ID, text []byte) []byte {
	if f := format(id); f != nil && f.identifierURIs != nil {
		return []byte(f.identifierURIs.Replace(string(text)))
	}
	return text
}

// All describes every dialect, in the order in which they are tried.
func All() []Info {
	formats := table()
	infos := make([]Info, 0, len(formats))
	for _, f := range formats {
		infos = append(infos, f.info)
	}
	return infos
}

// Recognise tells which dialect a request speaks and whom it is about. At most one dialect claims a request.
func Recognise(r Request) (Inquiry, bool) {
	host := r.Host()
	f := recognise(r, host)
	if f == nil {
		return Inquiry{}, false
	}
	return Inquiry{Dialect: f.info.ID, Subjects: subjects(r, host, f), Request: r}, true
}

// NeedsBody reports whether the subjects of r may stand in its body, or what it asks for, judged by method, URL and header alone: whoever
// calls [Recognise] or [RecognisePropfind] reads the body first in that case, and may stream it otherwise.
func NeedsBody(r Request) bool {
	switch r.Method {
	case "GET", "HEAD", "OPTIONS":
		return false
	case "PROPFIND":
		return true
	}
	f := recognise(r, r.Host())
	return f != nil && f.bodySubjects != nil && (!f.forms || isForm(r))
}

// isForm reports whether a request is a form of a web page (URL Standard, section 5), as far as its header says.
func isForm(r Request) bool {
	mediaType, _ := parseMediaType(r.Header.Get("Content-Type"))
	return mediaType == "application/x-www-form-urlencoded"
}

func recognise(r Request, host string) *wireFormat {
	path := normalPath(r.URL.Path)
	for _, f := range table() {
		if f.recognise(r, host, path) {
			return f
		}
	}
	return nil
}

// Refuse composes the dialect's own "no settings" from nothing but the inquiry. An inquiry of no known dialect is answered 404.
func Refuse(q Inquiry) Answer {
	if f := format(q.Dialect); f != nil {
		return f.refuse(q)
	}
	return notFound()
}

// Compose writes a complete answer from settings, for a domain whose owner wants to answer by itself. The error wraps [ErrCannotCarry]
// where the dialect has no place for any of the servers.
func Compose(q Inquiry, s Settings) (Answer, error) {
	f := format(q.Dialect)
	if f == nil || f.compose == nil {
		return Answer{}, fmt.Errorf("%w: %v", ErrCannotCarry, q.Dialect)
	}
	return f.compose(q, s)
}

// notFound is the quiet answer of everything that has no richer one: 404 without a body.
func notFound() Answer {
	return Answer{Status: 404, Header: Header{"Cache-Control": {"no-store"}}}
}

// The media types of most composed answers.
const (
	typeXML  = "text/xml; charset=utf-8"
	typeJSON = "application/json; charset=utf-8"
)

// composed is a 200 answer of the given media type.
func composed(mediaType, body string) Answer {
	return Answer{
		Status: 200,
		Header: Header{"Content-Type": {mediaType}, "Cache-Control": {"no-store"}},
		Body:   []byte(body),
	}
}
