package dialect

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/encoding/charmap"
)

// Recognition by what comes back. A request may not look like discovery (a hoster's own URL, a redirect's target, a path that nobody
// published) and yet be answered with settings; and no Content-Type can be trusted: Z-Push sends MobileSync documents as text/html.

// SniffLength is how much of a body [Sniffable] needs to see.
const SniffLength = 512

// Sniffable reports whether an answer that begins with head can be a discovery document: text that begins as XML or JSON does and not as a
// page for people, or something coded, which does not show what it is. What is not sniffable need not be held in memory.
func Sniffable(h Header, head []byte) bool {
	if len(h["X-Ms-Location"]) > 0 || saysProfile(h) {
		return true
	}
	if codings, err := namedCodings(h); err != nil || len(codings) > 0 || magic(head) != "" {
		return true
	}
	if bytes.HasPrefix(head, []byte("bplist")) || looksLikeCMS(head) || bytes.HasPrefix(head, []byte(ebcdicXML)) {
		return true
	}
	head = bytes.ToLower(bytes.TrimLeft(head, leadingSpace))
	if !looksLikeText(head) {
		return false
	}
	if bytes.IndexByte(head, 0) >= 0 { // UTF-16; most have none, and ReplaceAll copies them all the same
		head = bytes.ReplaceAll(head, []byte{0}, nil)
	}
	if rest, ok := bytes.CutPrefix(head, []byte("<html")); ok { // <html:Autodiscover> is called Autodiscover
		return len(rest) > 0 && strings.IndexByte(" \t\r\n/>", rest[0]) < 0
	}
	return !(bytes.HasPrefix(head, []byte("<!doctype html")) && isPage(head))
}

// ebcdicXML is how "<?xm" begins in any code page of EBCDIC (XML 1.0, appendix F).
const ebcdicXML = "\x4c\x6f\xa7\x94"

// declaresXML reports whether a body says that it is XML, in letters that are read whatever the charset is.
func declaresXML(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, leadingSpace), []byte("<?xml")) || bytes.HasPrefix(body, []byte(ebcdicXML))
}

// saysProfile reports whether an answer says that it is a configuration profile, by the type that iPhones go by, or the name of the file that Macs do. In whatever form it then comes,
// it is one.
func saysProfile(h Header) bool {
	return slices.ContainsFunc(h["Content-Type"], func(v string) bool { return indexFold(v, "apple-aspen-config") >= 0 }) ||
		slices.ContainsFunc(h["Content-Disposition"], func(v string) bool { return indexFold(v, ".mobileconfig") >= 0 })
}

// isPage reports whether the first element is that of a page for people. Its DOCTYPE alone says nothing to the parsers of mail clients.
func isPage(head []byte) bool {
	d := newSniffer(head)
	for {
		token, err := d.RawToken()
		if err != nil {
			return false
		}
		if start, ok := token.(xml.StartElement); ok {
			return strings.EqualFold(start.Name.Local, "html")
		}
	}
}

// newSniffer reads the tokens of a text that need not be well-formed.
func newSniffer(text []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(truncateTags(text)))
	d.Strict = false
	d.CharsetReader = sameReader
	return d
}

// Sniff tells which dialect an answer speaks that nobody asked for in a way that [Recognise] knows. The inquiry's subjects are those of
// [CarrierSubjects]. At most one dialect claims an answer.
func Sniff(r Request, a Answer) (Inquiry, bool) {
	q := Inquiry{Subjects: CarrierSubjects(r), Request: r}
	if a.Status == statusRedirectClient && len(a.Header["X-Ms-Location"]) > 0 {
		q.Dialect = MobileSync
		return q, true
	}
	if IsPropfindRedirect(r, a) {
		q.Dialect = DAV
		return q, true
	}
	if saysProfile(a.Header) {
		q.Dialect = MobileConfig
		return q, true
	}
	body, _, broken := decodeContent(a)
	if broken != nil && len(body) == 0 {
		return Inquiry{}, false
	}
	if isProfile(body) {
		q.Dialect = MobileConfig
		return q, true
	}
	t, err := decodeText(body, a.Header.Get("Content-Type"))
	if err != nil { // what it says it is shows all the same; a lenient client goes on from there
		t = text{data: approximate(body)}
	}
	switch text := bytes.TrimLeft(t.data, " \t\r\n"); {
	case bytes.HasPrefix(text, []byte("<")):
		q.Dialect = sniffXML(text, r.Host())
	case bytes.HasPrefix(text, []byte("{")):
		q.Dialect = sniffJSON(text)
	}
	if q.Dialect == None && broken == nil && err == nil && readsLikeDiscovery(t) {
		q.Dialect = Suspected
	}
	return q, q.Dialect != None
}

// approximate is the ASCII of a text in a charset that cannot be read, with a question mark for everything else.
func approximate(body []byte) []byte {
	if bytes.HasPrefix(body, []byte(ebcdicXML)) {
		body, _ = charmap.CodePage037.NewDecoder().Bytes(body) // letters and brackets are the same in all code pages
	}
	data := bytes.ReplaceAll(body, []byte{0}, nil) // of UTF-16 and UTF-32
	for _, mark := range [...]string{"\xff\xfe", "\xfe\xff", "\xef\xbb\xbf"} {
		data = bytes.TrimPrefix(data, []byte(mark))
	}
	return withoutControls(bytes.ToValidUTF8(data, []byte("?"))) // they shift something in SCSU and ISO 2022
}

// isProfile reports whether an answer that is no text is a configuration profile: a property list, binary or signed, with payloads. Certificates
// are DER, too, and applications have property lists of their own.
func isProfile(body []byte) bool {
	signed := looksLikeCMS(body)
	if signed {
		content, _, err := openCMS(body)
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
func sniffXML(text []byte, asked string) ID {
	d := newSniffer(withoutDeclaration(text))
	for seen := 0; seen < maxSniffed; {
		token, err := d.RawToken()
		if err != nil {
			return None
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		seen++
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
			if hasHomeProperty(text) || listsOtherHost(text, asked) {
				return DAV
			}
			return None
		case "plist":
			return sniffPlist(text)
		case "html":
			return None
		}
	}
	return None
}

// sniffPlist tells a profile from the lists of applications (a manifest of apps, say), which have no payloads. The key may be written in other ways.
func sniffPlist(text []byte) ID {
	for _, sign := range [...]string{"PayloadType", "&#", "<![CDATA["} {
		if bytes.Contains(text, []byte(sign)) {
			return MobileConfig
		}
	}
	return None
}

// maxSniffed bounds the elements that sniffXML looks at. What stands before them and between does not count: there may be as much as somebody likes.
const maxSniffed = 64

// withoutDeclaration is a text without its XML declaration: encoding/xml ends at one of version 1.1, which other parsers know.
func withoutDeclaration(text []byte) []byte {
	if bytes.HasPrefix(text, []byte("<?xml")) {
		if _, rest, ok := bytes.Cut(text, []byte("?>")); ok {
			return rest
		}
	}
	return text
}

// sniffJSON goes by the members that a dialect's object cannot do without. It takes no offence at what makes an object unreadable beyond doubt, members
// that stand twice for instance: to some client it is an object.
func sniffJSON(text []byte) ID {
	var known memberSet
	if x, ok := readPlainJSON(text); ok {
		defer x.free()
		for _, m := range x.root.members {
			known.add(m.name)
		}
	} else if known, ok = anyMembers(text); !ok {
		return None
	}
	switch {
	case known.has("protocols", "email"), known.has("protocols", "services"):
		return Autodetect
	case known.has("protocol", "url"):
		return V2
	case known.has("protocols", "info"):
		return PACC
	case known.has("apiurl", "capabilities"):
		return JMAP
	case known.has("clientconfig"): // which Thunderbird takes where it is called JSON; see readConfig
		return Autoconfig
	}
	return None
}

// anyMembers are those of an object, whatever there is to be said against it: of one that has a mistake in it, a comma behind the last member or a comment, those in front of
// the mistake. It must have an end, and nothing behind that.
func anyMembers(text []byte) (known memberSet, ok bool) {
	for _, word := range [...]string{"NaN", "Infinity"} { // numbers to Python, which reads on
		if bytes.Contains(text, []byte(word)) { // most have none, and ReplaceAll copies them all the same
			text = bytes.ReplaceAll(text, []byte(word), []byte("0"))
		}
	}
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	t, err := d.ReadToken()
	if err != nil || t.Kind() != jsontext.KindBeginObject {
		return 0, false
	}
	for err == nil && d.PeekKind() == jsontext.KindString {
		var name jsontext.Token
		if name, err = d.ReadToken(); err == nil {
			known.add(name.String())
			err = d.SkipValue()
		}
	}
	if err == nil {
		_, err = d.ReadToken()
	}
	if err != nil {
		return known, !errors.Is(err, io.ErrUnexpectedEOF)
	}
	return known, len(bytes.TrimSpace(text[d.InputOffset():])) == 0
}

// memberSet says which of the sniffedMembers an object has.
type memberSet uint16

// sniffedMembers are those that sniffJSON goes by, lower case.
var sniffedMembers = [...]string{"protocols", "email", "services", "protocol", "url", "info", "apiurl", "capabilities", "clientconfig"}

func (s *memberSet) add(name string) {
	for i, known := range sniffedMembers {
		if strings.EqualFold(name, known) {
			*s |= 1 << i
		}
	}
}

// has reports whether all of them are there.
func (s memberSet) has(names ...string) bool {
	for _, name := range names {
		if s&(1<<slices.Index(sniffedMembers[:], name)) == 0 {
			return false
		}
	}
	return true
}
