package dialect

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/beevik/etree"
)

// composeConfig writes settings by the schema of draft-ietf-mailmaint-autoconfig. Mail servers come first, because FairEmail and K-9 take the
// first one that they find; version 1.1, because every client knows it and must ignore what it does not know. Names in it are those of the
// address, so that the same document serves an alias.
func composeConfig(q Inquiry, s Settings) (Answer, error) {
	domain := askedDomain(append(addresses(s.Address, ""), q.Subjects...))
	root := etree.NewElement("clientConfig")
	root.CreateAttr("version", "1.1")
	provider := root.CreateElement("emailProvider")
	provider.CreateAttr("id", domain)
	textElement(provider, "domain", domain)
	name := s.displayName()
	if name == "" {
		name = domain
	}
	textElement(provider, "displayName", name)
	carried := 0
	for _, place := range configPlaces {
		parent := provider
		if place.atRoot {
			parent = root
		}
		for _, v := range s.Servers {
			if v.Protocol == place.protocol {
				configServer(parent.CreateElement(place.element), v, place.byURL)
				carried++
			}
		}
	}
	if carried == 0 {
		return Answer{}, fmt.Errorf("%w: clientConfig has no place for them", ErrCannotCarry)
	}
	return (&xmlDocument{root: root}).write(typeXML)
}

// configPlaces are the places for protocols, in the order in which they are written. The schema's name is addressbook, in lower case.
var configPlaces = [...]struct {
	protocol, element string
	byURL, atRoot     bool
}{
	{protocol: "imap", element: "incomingServer"},
	{protocol: "pop3", element: "incomingServer"},
	{protocol: "smtp", element: "outgoingServer"},
	{protocol: "jmap", element: "incomingServer", byURL: true},
	{protocol: "ews", element: "incomingServer", byURL: true},
	{protocol: "activesync", element: "incomingServer", byURL: true},
	{protocol: "caldav", element: "calendar", byURL: true, atRoot: true},
	{protocol: "carddav", element: "addressbook", byURL: true, atRoot: true},
}

func configServer(e *etree.Element, v Server, byURL bool) {
	e.CreateAttr("type", v.Protocol)
	if byURL {
		textElement(e, "url", v.endpoint())
	} else {
		textElement(e, "hostname", v.Host)
		textElement(e, "port", strconv.Itoa(int(v.port())))
	}
	configConnection(e, v, byURL)
	textElement(e, "username", cmp.Or(v.Username, configUser))
}

// configUser is the log-in of who is told no other.
const configUser = "%EMAILADDRESS%"

// configConnection writes what a client needs beside the place and the log-in.
func configConnection(e *etree.Element, v Server, byURL bool) {
	if byURL {
		httpAuthentication(e, v.Auth)
		if v.Protocol == "ews" && (v.Auth == "" || v.Auth == "password-cleartext") {
			textElement(e, "authentication", "password-cleartext") // all that Thunderbird 153 takes with a URL (readFromXML.sys.mjs)
		}
	} else {
		textElement(e, "socketType", socketType(v.Encryption))
		textElement(e, "authentication", cmp.Or(v.Auth, "password-cleartext"))
	}
}

func socketType(encryption string) string {
	switch encryption {
	case encryptionSTARTTLS:
		return "STARTTLS"
	case encryptionNone:
		return "plain"
	}
	return "SSL"
}

// httpAuthentication writes the words of the draft for services over HTTP: Basic (RFC 7617) and Digest (RFC 7616).
func httpAuthentication(e *etree.Element, auth string) {
	word := auth
	switch auth {
	case "", "password-cleartext":
		word = "Basic"
	case "password-encrypted":
		word = "Digest"
	}
	textElement(e, "authentication", word)
	if word == "Basic" || word == "Digest" {
		child(e, "authentication").CreateAttr("system", "http")
	}
}
