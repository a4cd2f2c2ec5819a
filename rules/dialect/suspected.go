package dialect

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// The generic detector: answers of services that nobody has catalogued. Spark, BlueMail, Samsung and others are thought to have look-ups of
// their own, of which no capture is public. What they must contain to be of use is known all the same: a host, and a mail protocol or one
// of its ports, in an answer to a question about somebody's address. No request is recognised by it, only answers are, and only
// where the request is about somebody guarded.
var suspected = wireFormat{
	info: Info{
		ID:       Suspected,
		Name:     "suspected",
		Title:    "anything else that names mail servers (JSON, XML)",
		Citation: "none: recognised by content",
		Clients:  "clients with look-ups of their own",
		Services: []Service{{
			Name: "suspected",
			Note: "off: such answers pass, and are recorded; enforce: they are refused for a guarded domain",
		}},
	},
	recognise: func(Request, string, string) bool { return false },
	read:      readSuspected,
	refuse:    func(Inquiry) Answer { return notFound() },
}

// mailWords are what an answer about mail servers names one of, lower case; pop3, which is more than letters, is another.
var mailWords = [...]string{"imap", "smtp", "eas", "ews", "activesync", "exchange", "jmap", "submission"}

// mailPorts are the ports of mail protocols (RFC 8314; IANA).
var mailPorts = [...]uint16{25, 110, 143, 465, 587, 993, 995}

// isAboutMail reports whether suggestions are about mail: a host together with the port of a mail protocol, or with its name in the text.
func isAboutMail(found []Suggestion, text []byte) bool {
	host, port := false, false
	for _, s := range found {
		host = host || s.Kind != KindPort && s.Host != ""
		port = port || slices.Contains(mailPorts[:], s.Port)
	}
	if !host || port {
		return host
	}
	text = bytes.ToLower(text)
	words := bytes.FieldsFunc(text, func(r rune) bool { return r < 'a' || r > 'z' && r < 0x80 })
	return bytes.Contains(text, []byte("pop3")) || slices.ContainsFunc(words, func(w []byte) bool { return slices.Contains(mailWords[:], string(w)) })
}

// readSuspected lists what reads like a server. The document is never edited: what is not known cannot be written.
func readSuspected(_ Inquiry, t text) (*Document, error) {
	d := &Document{fixed: true, Plain: true}
	if body := bytes.TrimLeft(t.data, " \t\r\n"); bytes.HasPrefix(body, []byte("<")) {
		x, err := parseXML(t)
		if err != nil {
			return nil, err
		}
		d.Suggestions, d.Plain = suspectXML(x.root, &place{tag: x.root.Tag}), x.plain
		x.free()
	} else {
		x, err := readJSON(body)
		if err != nil {
			return nil, err
		}
		w := serverWalk{carrier: "body"}
		w.value(x.root, jsonPlace{})
		x.free()
		d.Suggestions, d.Subjects = w.found, w.about
	}
	if !isAboutMail(d.Suggestions, t.data) {
		return d, fmt.Errorf("%w: no mail server in the answer", ErrNoSettings)
	}
	return d, nil
}

// suspectXML lists elements and attributes that are named like servers or hold a URL.
func suspectXML(e *etree.Element, at *place) []Suggestion {
	var found []Suggestion
	if value := strings.TrimSpace(elementText(e)); value != "" && !hasElements(e) {
		found = suspectValue(found, at.String(), e.Tag, value)
	}
	for _, a := range e.Attr {
		if a.Space != "xmlns" && a.Key != "xmlns" {
			found = suspectValue(found, at.String()+"/@"+a.Key, a.Key, a.Value)
		}
	}
	for c, at := range children(e, at) {
		found = append(found, suspectXML(c, at)...)
	}
	return found
}

func suspectValue(found []Suggestion, path, name, value string) []Suggestion {
	var s Suggestion
	var ok bool
	switch name = strings.ToLower(name); {
	case slices.Contains(serverMembers[:], name):
		s, ok = suggestHost(path, "", value)
	case name == "port":
		s, ok = suggestPort(path, "", value, "")
	case strings.Contains(value, "://"):
		s, ok = suggestURL(KindURL, path, "", value)
	}
	if ok {
		found = append(found, s)
	}
	return found
}

// readsLikeDiscovery reports whether a decoded answer of no known dialect reads like one.
func readsLikeDiscovery(t text) bool {
	body := bytes.TrimLeft(t.data, " \t\r\n")
	if !bytes.HasPrefix(body, []byte("<")) && !bytes.HasPrefix(body, []byte("{")) && !bytes.HasPrefix(body, []byte("[")) {
		return false
	}
	_, err := readSuspected(Inquiry{}, t)
	return err == nil
}
