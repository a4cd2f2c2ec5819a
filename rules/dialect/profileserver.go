package dialect

import "strconv"

// How an account of a profile says, by its keys, how to speak and to log in to its server (Apple, Configuration Profile Reference).

// profileWays are the prefixes of those keys, by protocol, and the two of them that are not called alike everywhere.
var profileWays = map[string]struct{ prefix, useSSL, username string }{
	"imap": {"IncomingMailServer", "UseSSL", "Username"}, "pop3": {"IncomingMailServer", "UseSSL", "Username"}, "smtp": {"OutgoingMailServer", "UseSSL", "Username"},
	"activesync": {"", "SSL", "UserName"}, "ews": {"", "SSL", "UserName"},
	"caldav": {"CalDAV", "UseSSL", "Username"}, "carddav": {"CardDAV", "UseSSL", "Username"},
}

// profilePasswords are the keys of passwords, by protocol.
var profilePasswords = map[string]string{
	"imap": "IncomingPassword", "pop3": "IncomingPassword", "smtp": "OutgoingPassword", "activesync": "Password", "ews": "Password", "caldav": "CalDAVPassword", "carddav": "CardDAVPassword",
}

// profileAuthentication is the word that the account of a mail server has for a way to log in. It has none for tokens, certificates and Kerberos: told another one, a device would
// ask for a password and fail.
func profileAuthentication(auth string) (word string, ok bool) {
	switch auth {
	case "", "password-cleartext":
		return "EmailAuthPassword", true
	case "password-encrypted":
		return "EmailAuthCRAMMD5", true
	case "NTLM":
		return "EmailAuthNTLM", true
	case "none", "client-IP-address":
		return "EmailAuthNone", true
	}
	return "", false
}

// setServer writes how to speak and to log in to a server that was put into an account. A password that stands there is none for it. It reports false where an account cannot say
// how to log in to the server.
func (n *plistNode) setServer(v Server) bool {
	way, known := profileWays[v.Protocol]
	if n == nil || n.element == nil || !known {
		return true
	}
	if _, byURL := usualPaths[v.Protocol]; !byURL {
		word, ok := profileAuthentication(v.Auth)
		if !ok {
			return false
		}
		if word == "EmailAuthNone" {
			v.Username = ""
		}
		n.set(way.prefix+"Authentication", "string", word)
		n.set(way.prefix+"PortNumber", "integer", strconv.Itoa(int(v.port())))
	} else if key := way.prefix + "Port"; n.child(key) != nil { // which mailcow writes as a real number
		n.set(key, "integer", strconv.Itoa(int(v.port())))
	}
	n.set(way.prefix+way.useSSL, strconv.FormatBool(v.Encryption != encryptionNone), "")
	n.set(way.prefix+way.username, "string", v.Username)
	n.drop(profilePasswords[v.Protocol])
	return true
}

// set gives a key of a dict in an XML list another value; an empty string takes the key out.
func (n *plistNode) set(key, kind, value string) {
	if kind == "string" && value == "" {
		n.drop(key)
		return
	}
	at := n.child(key)
	if at == nil {
		textElement(n.element, "key", key)
		at = &plistNode{element: n.element.CreateElement(kind)}
		n.keys, n.items = append(n.keys, key), append(n.items, at)
	}
	at.element.Tag = kind
	setText(at.element, value)
}

// drop takes a key of a dict out of an XML list.
func (n *plistNode) drop(key string) {
	at := n.child(key)
	if at == nil {
		return
	}
	children := n.element.ChildElements()
	for i, c := range children {
		if c == at.element && i > 0 {
			remove(children[i-1])
		}
	}
	remove(at.element)
}
