package dialect

import (
	"bytes"
	"fmt"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
)

// text is a decoded answer body.
type text struct {
	data []byte // UTF-8 without byte order mark
	// plain reports that the body is UTF-8 as it stands, without byte order mark or contradicting labels.
	plain bool
	// mediaType is the Content-Type without parameters, lower case.
	mediaType string
}

// decodeText turns a body without content coding into UTF-8. The byte order mark counts more than the Content-Type's charset, which counts
// more than the document's own declaration (RFC 7303, section 3). Unknown charsets are an error: utf-7 reads like ASCII and means
// something else.
func decodeText(body []byte, contentType string) (text, error) {
	mediaType, charset := parseMediaType(contentType)
	t := text{mediaType: mediaType}
	label, body := charsetOf(body, charset)
	switch strings.ToLower(strings.Trim(label, " \t'")) { // 'utf-8' is no charset to clients, which then take UTF-8
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		if !utf8.Valid(body) {
			return text{}, fmt.Errorf("%w: not valid UTF-8", ErrUnreadable)
		}
		t.data, t.plain = body, true
	case "bom":
		if !utf8.Valid(body) {
			return text{}, fmt.Errorf("%w: not valid UTF-8", ErrUnreadable)
		}
		t.data = body
	default:
		decoded, err := transcode(body, label)
		if err != nil {
			return text{}, err
		}
		t.data = decoded
	}
	if bytes.IndexByte(t.data, 0) >= 0 {
		return text{}, fmt.Errorf("%w: NUL in the text", ErrUnreadable)
	}
	t.plain = t.plain && agreeing(t.data, charset) && namesNoOther(contentType, charset)
	return t, nil
}

// containsFold reports whether a text holds a word of ASCII letters in lower case, without regard to their case.
func containsFold(text []byte, word string) bool {
	for ; len(text) >= len(word); text = text[1:] {
		i := bytes.IndexByte(text[:len(text)-len(word)+1], word[0])
		if i < 0 {
			return false
		}
		text = text[i:]
		n := 1
		for n < len(word) && (text[n] == word[n] || text[n]|0x20 == word[n] && text[n] >= 'A' && text[n] <= 'Z') {
			n++
		}
		if n == len(word) {
			return true
		}
	}
	return false
}

// plainTypes are what nearly all answers and questions say of themselves.
var plainTypes = map[string][2]string{
	"text/xml": {"text/xml"}, "text/xml; charset=utf-8": {"text/xml", "utf-8"}, "text/xml;charset=utf-8": {"text/xml", "utf-8"},
	"application/xml": {"application/xml"}, "application/xml; charset=utf-8": {"application/xml", "utf-8"},
	"application/json": {"application/json"}, "application/json; charset=utf-8": {"application/json", "utf-8"},
}

// parseMediaType reads a Content-Type: the type and its charset; neither, where it is written in a way that readers understand differently. A reader of
// every form there is costs as much as reading a short answer.
func parseMediaType(contentType string) (mediaType, charset string) {
	if known, ok := plainTypes[contentType]; ok {
		return known[0], known[1]
	}
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil { // it may give the type all the same, and no parameter
		return "", ""
	}
	return mediaType, parameters["charset"]
}

// namesNoOther reports that a Content-Type speaks of no charset but the one that was read from it. requests 2.34 looks for semicolons inside quotes, too: in x="; charset=utf-7".
func namesNoOther(contentType, charset string) bool {
	if _, known := plainTypes[contentType]; known {
		return true
	}
	n := strings.Count(strings.ToLower(contentType), "charset")
	return n == 0 || n == 1 && charset != ""
}

// charsetOf finds the label that counts and takes a byte order mark off. "bom" stands for UTF-8 with one.
func charsetOf(body []byte, parameter string) (label string, rest []byte) {
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return "bom", body[3:]
	case bytes.HasPrefix(body, []byte("\xff\xfe")):
		return "utf-16le", body[2:]
	case bytes.HasPrefix(body, []byte("\xfe\xff")):
		return "utf-16be", body[2:]
	case len(body) > 1 && body[1] == 0 && strings.IndexByte("<{[ \t\r\n", body[0]) >= 0:
		return "utf-16le", body
	case len(body) > 1 && body[0] == 0 && strings.IndexByte("<{[ \t\r\n", body[1]) >= 0:
		return "utf-16be", body
	case parameter != "":
		label = parameter
	default:
		label = declaredCharset(body)
	}
	if strings.HasPrefix(strings.ToLower(label), "utf-16") {
		// A contradiction: UTF-16 would have shown itself. Read as such, anything is some text in Chinese, while readers of JSON and most of XML go by the bytes.
		return "utf-16 that is none", body
	}
	return label, body
}

// declaredCharset reads encoding="…" out of an XML declaration.
func declaredCharset(body []byte) string {
	body = bytes.TrimLeft(body, " \t\r\n")
	if !bytes.HasPrefix(body, []byte("<?xml")) {
		return ""
	}
	declaration, _, ok := bytes.Cut(body, []byte("?>"))
	if !ok {
		return ""
	}
	_, after, ok := strings.Cut(string(declaration), "encoding")
	if !ok {
		return ""
	}
	after = strings.TrimLeft(after, " \t\r\n=")
	if after == "" {
		return ""
	}
	label, _, ok := strings.Cut(after[1:], after[:1])
	if !ok {
		return "unreadable"
	}
	return label
}

func transcode(body []byte, label string) ([]byte, error) {
	switch strings.ToLower(label) {
	case "utf-16le":
		return decodeWith(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder().Bytes, body)
	case "utf-16be":
		return decodeWith(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder().Bytes, body)
	}
	e, name := charset.Lookup(label)
	if e == nil || name == "replacement" || strings.HasPrefix(name, "utf-16") { // "replacement" is the WHATWG's word for never decode, and "unicode" one for UTF-16
		return nil, fmt.Errorf("%w: unknown charset", ErrUnreadable)
	}
	return decodeWith(e.NewDecoder().Bytes, body)
}

func decodeWith(decode func([]byte) ([]byte, error), body []byte) ([]byte, error) {
	out, err := decode(body)
	if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
		return nil, fmt.Errorf("%w: text does not fit its charset", ErrUnreadable)
	}
	return out, nil
}

// agreeing reports that the declaration inside the document does not contradict the charset that counted, or that it cannot matter because
// the text is ASCII in any case.
func agreeing(data []byte, parameter string) bool {
	switch declared := strings.ToLower(declaredCharset(data)); declared {
	case "", "utf-8", "utf8":
		return true
	case "us-ascii", "ascii", "iso-8859-1", "windows-1252", strings.ToLower(parameter):
		return !slices.ContainsFunc(data, func(c byte) bool { return c >= utf8.RuneSelf })
	}
	return false
}
