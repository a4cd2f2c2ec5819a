package dialect

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
)

// Onward is where a client goes that an answer of asked sends to value. Where a percent sign is no escape, some clients send it as it stands, and the guard's server turns
// that down; others make an escape of it (requests 2.34).
func Onward(asked *url.URL, value string) (*url.URL, error) {
	u, err := asked.Parse(escapedSigns(value))
	if err == nil && u.Host == "" {
		err = errNowhere
	}
	return u, err
}

var errNowhere = errors.New("no URL of a host")

// escapedSigns is a URL with an escape for each percent sign that begins none.
func escapedSigns(s string) string {
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

// unequal reports whether clients resolve a reference in different ways: of one that does not begin with a slash, PHP 8.2 takes ?x for a place below that which was
// asked, and a single letter for one below the root.
func unequal(value string) bool {
	value = strings.TrimSpace(value)
	return value != "" && relative(value) && value[0] != '/'
}

// Answers reports whether an answer to a question of any form, at a place to which a client was sent with the inquiry, may be one to that. One that cannot be read beyond doubt
// may, where a lenient reader finds what it looks for: Horde asks for no root of clientConfig, and of two members of one name everybody takes one.
func Answers(q Inquiry, a Answer) bool {
	d, err := Read(q, a)
	found := len(d.Suggestions) > d.inHeader
	d.Free()
	if !errors.Is(err, ErrUnreadable) {
		return err == nil
	}
	if packed, _, err := decodeContent(a); err != nil && len(packed) == 0 { // we know the coding, and the client undoes more of it than we do
		return true
	}
	t, _ := Request{Header: a.Header, Body: a.Body}.question()
	switch q.Dialect {
	case Autoconfig, ISPDB:
		return mentionsConfig(t.data)
	case Autodetect, V2, PACC, JMAP, Identity, DoH:
		return bytes.HasPrefix(bytes.TrimLeft(t.data, " \t\r\n"), []byte("{"))
	default:
		return found && !isPage(t.data)
	}
}
