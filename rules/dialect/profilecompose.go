package dialect

import (
	"crypto/sha256"
	"fmt"
	"strconv"

	"github.com/beevik/etree"
)

// composeProfile writes an unsigned profile with a mail account, an ActiveSync account, or both. A device shows it as "not signed" and asks the
// user. Its UUIDs are made from the address, so that a profile that is fetched again replaces the first one.
func composeProfile(_ Inquiry, s Settings) (Answer, error) {
	root := etree.NewElement("plist")
	root.CreateAttr("version", "1.0")
	profile := root.CreateElement("dict")
	textElement(profile, "key", "PayloadContent")
	payloads := profile.CreateElement("array")
	composeMail(payloads, s)
	if v, ok := s.server("activesync"); ok {
		p := payload(payloads, "com.apple.eas.account", s)
		pairs(p, "EmailAddress", s.Address, "Host", v.Host, "UserName", s.login(v))
		flag(p, "SSL", true)
		if v.Auth == "OAuth2" {
			flag(p, "OAuth", true)
		}
	}
	if !hasElements(payloads) {
		return Answer{}, fmt.Errorf("%w: a profile has no place for them", ErrCannotCarry)
	}
	describe(profile, "Configuration", s)
	return (&xmlDocument{root: root}).write("application/x-apple-aspen-config")
}

// composeMail writes the mail account: one way in (IMAP before POP3) and one way out, which a device wants both.
func composeMail(payloads *etree.Element, s Settings) {
	kind := "EmailTypeIMAP"
	incoming, ok := s.server("imap")
	if !ok {
		kind = "EmailTypePOP"
		incoming, ok = s.server("pop3")
	}
	outgoing, also := s.server("smtp")
	_, in := profileAuthentication(incoming.Auth)
	if _, out := profileAuthentication(outgoing.Auth); !ok || !also || !in || !out {
		return
	}
	p := payload(payloads, "com.apple.mail.managed", s)
	pairs(p, "EmailAccountDescription", s.displayName(), "EmailAccountName", s.displayName(), "EmailAccountType", kind, "EmailAddress", s.Address)
	mailServer(p, "Incoming", incoming, s)
	mailServer(p, "Outgoing", outgoing, s)
}

func mailServer(p *etree.Element, direction string, v Server, s Settings) {
	word, _ := profileAuthentication(v.Auth)
	pairs(p, direction+"MailServerAuthentication", word, direction+"MailServerHostName", v.Host)
	textElement(p, "key", direction+"MailServerPortNumber")
	textElement(p, "integer", strconv.Itoa(int(v.port())))
	flag(p, direction+"MailServerUseSSL", v.Encryption != encryptionNone)
	if word != "EmailAuthNone" {
		pairs(p, direction+"MailServerUsername", s.login(v))
	}
}

func payload(payloads *etree.Element, kind string, s Settings) *etree.Element {
	p := payloads.CreateElement("dict")
	describe(p, kind, s)
	return p
}

// describe writes the keys that every payload must have.
func describe(p *etree.Element, kind string, s Settings) {
	pairs(p, "PayloadDisplayName", s.displayName(), "PayloadIdentifier", "autodiscover-guard."+uuid("identifier", s.Address)+"."+kind,
		"PayloadType", kind, "PayloadUUID", uuid(kind, s.Address))
	textElement(p, "key", "PayloadVersion")
	textElement(p, "integer", "1")
}

// pairs writes keys with their strings. A device asks its user for the address and the log-in that a profile does not have (Configuration Profile Reference).
func pairs(p *etree.Element, keysAndStrings ...string) {
	for i := 0; i+1 < len(keysAndStrings); i += 2 {
		if keysAndStrings[i+1] != "" {
			textElement(p, "key", keysAndStrings[i])
			textElement(p, "string", keysAndStrings[i+1])
		}
	}
}

func flag(p *etree.Element, key string, on bool) {
	textElement(p, "key", key)
	p.CreateElement(strconv.FormatBool(on))
}

// uuid is a version 8 UUID (RFC 9562, section 5.8) of a hash.
func uuid(kind, address string) string {
	h := sha256.Sum256([]byte(kind + "\x00" + address))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
