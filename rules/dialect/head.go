package dialect

import (
	"bytes"
	"encoding/xml"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// minHead is how many bytes of an answer must be there before its head can rule discovery out: as many as the longest beginning that is looked for has.
const minHead = 16

// MayBeDiscovery reports whether an answer that begins with head can still be a discovery document. ended says that there is no more. It goes by
// [Sniffable] as soon as minHead bytes are there: whoever streams small pieces must not wait for larger ones.
func MayBeDiscovery(h Header, head []byte, ended bool) bool {
	start := head[:min(len(head), SniffLength)]
	seen := len(bytes.TrimLeft(start, leadingSpace))
	if !ended && seen < minHead && len(head) < SniffLength || seen == 0 && len(head) > SniffLength { // any amount of white space may stand before a document
		return true
	}
	return Sniffable(h, start)
}

// DecodedHead undoes the content codings of the head of an answer, and gives the header that the answer then has; both as they are where nothing can be decoded
// yet. coded reports whether there are codings. Whatever follows the head, it decodes to the same text: codings are undone from the front.
func DecodedHead(h Header, head []byte) (plain Header, text []byte, coded bool) {
	if codings, err := namedCodings(h); err != nil || len(codings) == 0 && magic(head) == "" {
		return h, head, false
	}
	text, _, _ = decodeContent(Answer{Header: h, Body: head}) // it is cut off: an error is expected
	if len(text) == 0 || bytes.Equal(text, head) {            // one byte of a coding may look like text
		return h, head, true
	}
	plain = h.Clone()
	delete(plain, "Content-Encoding")
	return plain, text, true
}

// leadingSpace is what may stand before a document: white space and byte order marks.
const leadingSpace = " \t\r\n\x00\xef\xbb\xbf\xfe\xff"

// NotDiscovery reports whether head is the beginning of XML or JSON that no published dialect has, so that nothing that follows can make the document
// discovery: [Sniff] goes by the first elements, and in SOAP by the namespace of what stands in the Body, which is declared before or in its tag;
// of JSON it knows one object and nothing behind it. Notifications by SOAP (MS-OXWSNTIF, GetStreamingEvents) never end, and are known by that, as are
// objects line by line.
func NotDiscovery(h Header, head []byte) bool {
	if codings, err := namedCodings(h); err != nil || len(codings) > 0 || magic(head) != "" {
		return false
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(text) == 0, bytes.IndexByte(text, 0) >= 0, otherCharset(h, text):
		return false
	case text[0] == '<':
		return notDiscoveryXML(text)
	case text[0] == '{':
		return severalValues(text)
	}
	return text[0] == '[' || len(text) < len(head)
}

// severalValues reports whether something stands behind the first JSON value.
func severalValues(text []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	if err := d.SkipValue(); err != nil {
		return false // cut off here, or no JSON: more has to be seen
	}
	return len(bytes.TrimSpace(text[d.InputOffset():])) > 0
}

func notDiscoveryXML(text []byte) bool {
	if bytes.Contains(text, []byte("/2010/Autodiscover")) {
		return false
	}
	d := newSniffer(withoutDeclaration(text))
	soap, body := false, false
	for seen := 0; seen < maxSniffed; {
		token, err := d.RawToken()
		if err != nil {
			return false // cut off here, or no XML: more has to be seen
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		seen++
		switch name := strings.ToLower(start.Name.Local); {
		case soap && body:
			return bytes.Contains(text, exchangeServices)
		case soap:
			body = name == "body"
		case name == "envelope":
			soap = true
		case name == "autodiscover", name == "clientconfig", name == "plist", name == "multistatus":
			return false
		case name == "html":
			return true
		}
	}
	return !soap
}

// exchangeServices is in the namespaces of Exchange Web Services (MS-OXWSCDATA): the one kind of SOAP here that is known to go on.
var exchangeServices = []byte("/exchange/services/2006/")

// otherCharset reports whether a text is, or may be, in another charset than UTF-8: then its bytes say nothing here.
func otherCharset(h Header, text []byte) bool {
	_, charset := parseMediaType(h.Get("Content-Type"))
	label, _ := charsetOf(text, charset)
	switch strings.ToLower(strings.TrimSpace(label)) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		for cut := 0; cut < utf8.UTFMax && cut <= len(text); cut++ { // the last character may be there in part
			if utf8.Valid(text[:len(text)-cut]) {
				return false
			}
		}
	}
	return true
}
