package dialect

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
)

// ResolveReference is the URL that a client goes to where an answer of asked refers to value (RFC 3986, section 5). Where a percent sign begins no escape, some clients send it
// as it stands, which the guard's server turns down; others escape it (requests 2.34), as is done here.
func ResolveReference(asked *url.URL, value string) (*url.URL, error) {
	u, err := asked.Parse(escapeStrayPercents(value))
	if err == nil && u.Host == "" {
		err = errNoHost
	}
	return u, err
}

var errNoHost = errors.New("no URL of a host")

// escapeStrayPercents escapes each percent sign that begins no escape.
func escapeStrayPercents(s string) string {
	var out strings.Builder
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			break
		}
		out.WriteString(s[:i+1])
		if s = s[i+1:]; len(s) < 2 || !isHex(s[0]) || !isHex(s[1]) {
			out.WriteString("25")
		}
	}
	out.WriteString(s)
	return out.String()
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// resolvedDifferently reports whether clients resolve a reference in different ways. Where it does not begin with a slash, PHP 8.2 puts ?x below the asked path, and a single
// letter below the root.
func resolvedDifferently(value string) bool {
	value = strings.TrimSpace(value)
	return value != "" && relative(value) && value[0] != '/'
}

// MayAnswer reports whether an answer, whatever was asked at the place to which a client was sent, may be one to the inquiry. One that cannot be read beyond doubt may be, where
// a lenient reader finds what it looks for: Horde does not insist on clientConfig as the root, and of two members of one name every client takes one.
func MayAnswer(q Inquiry, a Answer) bool {
	d, err := Read(q, a)
	found := len(d.Suggestions) > d.inHeader
	d.Free()
	if !errors.Is(err, ErrUnreadable) {
		return err == nil
	}
	body, _, err := decodeContent(a)
	if err != nil && len(body) == 0 { // we know the coding, and the client undoes more of it than we do
		return true
	}
	t, whole := Request{Header: a.Header, Body: a.Body}.bodyText()
	if !whole && declaresXML(body) && !isPage(t.data) { // libxml2, and so Evolution, knows every charset that iconv does, UTF-7 and EBCDIC among them
		return true
	}
	switch q.Dialect {
	case Autoconfig, ISPDB:
		return mentionsConfig(t.data)
	case Autodetect, V2, PACC, JMAP, Identity, DoH:
		return bytes.HasPrefix(bytes.TrimLeft(t.data, " \t\r\n"), []byte("{"))
	default:
		return found && !isPage(t.data)
	}
}
