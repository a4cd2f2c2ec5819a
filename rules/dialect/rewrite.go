package dialect

import (
	"strconv"

	"github.com/beevik/etree"
)

// Replace lets a server stand in for what is suggested, where the suggestion is of a kind that a server can be written for. What belongs to
// the host beside its name, the port and the encryption, is written with it: a client that is told the right host with the stranger's way of
// speaking to it would fail, or speak in the clear.
func (s *Suggestion) Replace(v Server) {
	now := ""
	switch s.Kind {
	case KindHostname:
		now = v.Host
	case KindPort:
		now = strconv.Itoa(int(v.port()))
	case KindURL:
		if _, ok := usualPaths[v.Protocol]; !ok {
			return
		}
		now = v.endpoint()
	default:
		return
	}
	s.Verdict, s.Now, s.Port, s.Encryption = Rewrite, now, v.port(), v.Encryption
	if s.Encryption == "" {
		s.Encryption = encryptionSSL
	}
}

// The words for encryption that Settings have: TLS from the first byte, STARTTLS, and none.
const (
	encryptionSSL      = "ssl"
	encryptionSTARTTLS = "starttls"
	encryptionNone     = "none"
)

// replacesServer reports whether a judged suggestion puts another server in place: then port and encryption beside it are replaced, too.
func (s Suggestion) replacesServer() bool {
	return s.Verdict == Rewrite && s.Kind == KindHostname && s.Encryption != ""
}

// setChild sets the text of a child element, which is put behind another where it is not there yet, and returns it.
func setChild(parent *etree.Element, name, value string, behind *etree.Element) *etree.Element {
	if c := child(parent, name); c != nil {
		c.SetText(value)
		return c
	}
	c := etree.NewElement(name)
	c.Space = behind.Space
	c.CreateText(value)
	parent.InsertChildAt(behind.Index()+1, c)
	return c
}

// setMember sets a member of a JSON object, if it is there.
func setMember(object *jsonNode, name, value string) {
	if m := object.member(name); m != nil {
		m.set(value)
	}
}
