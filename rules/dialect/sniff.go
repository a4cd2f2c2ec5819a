package dialect

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// Recognition by what comes back. A request may not look like discovery (a hoster's own URL, a redirect's target, a path that nobody
// published) and yet be answered with settings; and no Content-Type can be trusted: Z-Push sends MobileSync documents as text/html.

// SniffLength is how much of a body [Sniffable] needs to see.
const SniffLength = 512

// Sniffable reports whether an answer that begins with head can be a discovery document: text that begins as XML or JSON does and not as a
// page for people, or something coded, which does not show what it is. What is not sniffable need not be held in memory.
func Sniffable(h Header, head []byte) bool {
	if len(h["X-Ms-Location"]) > 0 {
		return true
	}
	if codings, err := namedCodings(h); err != nil || len(codings) > 0 || magic(head) != "" {
		return true
	}
	if bytes.HasPrefix(head, []byte("bplist")) || looksLikeCMS(head) {
		return true
	}
	head = bytes.ToLower(bytes.TrimLeft(head, outsetSpace))
	if !looksLikeText(head) {
		return false
	}
	head = bytes.ReplaceAll(head, []byte{0}, nil) // UTF-16
	return !bytes.HasPrefix(head, []byte("<html")) && !bytes.HasPrefix(head, []byte("<!doctype html"))
}

// Sniff tells which dialect an answer speaks that nobody asked for in a way that [Recognise] knows. The inquiry's subjects are those of
// [Carriers]. At most one dialect claims an answer.
func Sniff(r Request, a Answer) (Inquiry, bool) {
	q := Inquiry{Subjects: Carriers(r), Request: r}
	if a.Status == statusRedirectClient && len(a.Header["X-Ms-Location"]) > 0 {
		q.Dialect = MobileSync
		return q, true
	}
	if SentOn(r, a.Status) {
		q.Dialect = DAV
		return q, true
	}
	body, _, err := decodeContent(a)
	if err != nil {
		return Inquiry{}, false
	}
	if isProfile(body) {
		q.Dialect = MobileConfig
		return q, true
	}
	t, err := decodeText(body, a.Header.Get("Content-Type"))
	if err != nil {
		return Inquiry{}, false
	}
	switch text := bytes.TrimLeft(t.data, " \t\r\n"); {
	case bytes.HasPrefix(text, []byte("<")):
		q.Dialect = sniffXML(text)
	case bytes.HasPrefix(text, []byte("{")):
		q.Dialect = sniffJSON(text)
	}
	if q.Dialect == None && suspect(t) {
		q.Dialect = Suspected
	}
	return q, q.Dialect != None
}

// isProfile reports whether an answer that is no text is a configuration profile: a property list, binary or signed, with payloads. Certificates
// are DER, too, and applications have property lists of their own.
func isProfile(body []byte) bool {
	signed := looksLikeCMS(body)
	if signed {
		content, err := openCMS(body)
		if err != nil {
			return false
		}
		body = content
	}
	return (signed || bytes.HasPrefix(body, []byte("bplist"))) && bytes.Contains(body, []byte("PayloadType"))
}

// statusRedirectClient is 451, by which ActiveSync sends an account to another server (MS-ASHTTP 3.1.5.2.2).
const statusRedirectClient = 451

// sniffXML goes by the local name of the first element that any dialect's documents begin with, and by namespaces only where one name has two
// meanings.
func sniffXML(text []byte) ID {
	d := xml.NewDecoder(bytes.NewReader(text))
	d.Strict = false
	d.CharsetReader = sameReader
	for range maxSniffed {
		token, err := d.RawToken()
		if err != nil {
			return None
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch strings.ToLower(start.Name.Local) {
		case "autodiscover":
			if containsFold(text, "/mobilesync/responseschema") && !bytes.Contains(text, []byte("Account>")) {
				return MobileSync
			}
			return POX
		case "envelope":
			if bytes.Contains(text, []byte("/2010/Autodiscover")) {
				return SOAP
			}
			return None
		case "clientconfig":
			return Autoconfig
		case "multistatus":
			if leadsOn(text) {
				return DAV
			}
			return None
		case "plist":
			return MobileConfig
		case "html":
			return None
		}
	}
	return None
}

// maxSniffed bounds the tokens that sniffXML looks at.
const maxSniffed = 64

// sniffJSON goes by the members that a dialect's object cannot do without.
func sniffJSON(text []byte) ID {
	x, err := readJSON(text)
	if err != nil {
		return None
	}
	defer x.free()
	if !x.object() {
		return None
	}
	has := func(names ...string) bool {
		for _, name := range names {
			if x.root.member(name) == nil {
				return false
			}
		}
		return true
	}
	switch {
	case has("protocols", "email"), has("protocols", "services"):
		return Autodetect
	case has("Protocol", "Url"):
		return V2
	case has("protocols", "info"):
		return PACC
	case has("apiUrl", "capabilities"):
		return JMAP
	}
	return None
}
