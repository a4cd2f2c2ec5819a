package dialect

import (
	"fmt"
	"strconv"

	"github.com/beevik/etree"
)

// poxTypes are the account types that a POX answer can carry without Exchange's own machinery (MS-OXDSCLI 2.2.4.1.1.2.7), in the order in
// which they are written.
var poxTypes = [...]struct{ protocol, name string }{
	{"imap", "IMAP"}, {"pop3", "POP3"}, {"smtp", "SMTP"}, {"caldav", "CalDAV"}, {"carddav", "CardDAV"},
}

// composePOX writes settings for clients that take IMAP, POP3 and SMTP from Autodiscover. MS-OXDSCLI 2.2.4.1.1.2: on and off are lower case,
// Encryption overrides SSL, and CalDAV and CardDAV hold a URL in Server.
func composePOX(_ Inquiry, s Settings) (Answer, error) {
	root := etree.NewElement("Autodiscover")
	root.CreateAttr("xmlns", "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006")
	response := root.CreateElement("Response")
	response.CreateAttr("xmlns", "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a")
	user := response.CreateElement("User")
	textElement(user, "DisplayName", s.displayName())
	account := response.CreateElement("Account")
	textElement(account, "AccountType", "email")
	textElement(account, "Action", "settings")
	for _, t := range poxTypes {
		if v, ok := s.server(t.protocol); ok {
			poxServerElement(account, t.name, v, s)
		}
	}
	if child(account, "Protocol") == nil {
		return Answer{}, fmt.Errorf("%w: POX has no place for them", ErrCannotCarry)
	}
	return (&xmlDocument{root: root}).write(typeXML)
}

func poxServerElement(account *etree.Element, name string, v Server, s Settings) {
	p := account.CreateElement("Protocol")
	textElement(p, "Type", name)
	byURL := v.Protocol == "caldav" || v.Protocol == "carddav"
	if byURL {
		textElement(p, "Server", v.endpoint())
	} else {
		textElement(p, "Server", v.Host)
	}
	v.Username = s.login(v)
	for _, m := range poxConnection(v, byURL) {
		textElement(p, m.name, m.value)
	}
}

// poxMember is a child element of a Protocol.
type poxMember struct{ name, value string }

// poxConnection is what a client needs beside the place. MS-OXDSCLI 2.2.4.1.1.2: SPA is on where something else than the password itself proves who logs in, and AuthRequired off where
// nobody does.
func poxConnection(v Server, byURL bool) []poxMember {
	if byURL {
		return []poxMember{{"LoginName", v.Username}}
	}
	spa, required := "off", "on"
	switch v.Auth {
	case "NTLM", "GSSAPI":
		spa = "on"
	case "none", "client-IP-address":
		required = "off"
	}
	ssl, encryption := poxEncryption(v.Encryption)
	all := []poxMember{
		{"Port", strconv.Itoa(int(v.port()))}, {"LoginName", v.Username}, {"DomainRequired", "off"}, {"SPA", spa}, {"SSL", ssl}, {"Encryption", encryption}, {"AuthRequired", required},
	}
	if v.Protocol == "smtp" {
		all = append(all, poxMember{"UsePOPAuth", "off"}, poxMember{"SMTPLast", "off"})
	}
	return all
}

// poxEncryption gives the values of SSL and Encryption.
func poxEncryption(word string) (ssl, encryption string) {
	switch word {
	case encryptionSTARTTLS:
		return "on", "TLS"
	case encryptionNone:
		return "off", "None"
	}
	return "on", "SSL"
}

func textElement(parent *etree.Element, name, value string) {
	parent.CreateElement(name).CreateText(value)
}
