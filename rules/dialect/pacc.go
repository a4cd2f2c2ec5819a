package dialect

import (
	"cmp"
	"fmt"
	"strings"
)

// PACC is to succeed Autoconfig. The client asks https://ua-auto-config.DOMAIN/.well-known/user-agent-configuration.json, without saying who
// it is, and is answered
//
//	{"protocols":{"imap":{"host":"mail.lab.test"},"smtp":{"host":"mail.lab.test"},"jmap":{"url":"https://mail.lab.test/jmap"}},
//	 "authentication":{"password":true,"oauth-public":{"issuer":"https://login.lab.test/"}},
//	 "info":{"provider":{"name":"Lab","logo":[{"url":"https://lab.test/logo.svg"}]},
//	         "help":{"documentation":"https://lab.test/help","contact":["mailto:help@lab.test"]}}}
//
// Hosts mean TLS at the protocol's own port. The DNS pins the bytes: _ua-auto-config.DOMAIN TXT "v=UAAC1; a=sha256; d=DIGEST". An edited
// document is therefore a broken one: it passes whole, or is refused.
var pacc = wireFormat{
	info: Info{
		ID:       PACC,
		Name:     "pacc",
		Title:    "PACC, automatic configuration in JSON",
		Citation: "draft-ietf-mailmaint-pacc",
		Clients:  "none released in 2026; served by Stalwart and automx2",
	},
	recognise: func(_ Request, _, path string) bool { return path == "/.well-known/user-agent-configuration.json" },
	read:      readPACC,
	refuse:    func(Inquiry) Answer { return notFound() },
	compose:   composePACC,
}

func readPACC(_ Inquiry, t text) (*Document, error) {
	x, err := readJSONObject(t.data)
	if err != nil {
		return nil, err
	}
	w := urlWalk{suggest: suggestPACC}
	w.value(x.root, jsonPlace{})
	d := x.document(t, w.found, nil)
	d.fixed = true
	if len(w.found) == 0 {
		return d, fmt.Errorf("%w: no server in the answer", ErrNoSettings)
	}
	return d, nil
}

// suggestPACC says what a member suggests. The protocol is the member of "protocols" that it stands in.
func suggestPACC(name, path, _, value string) (Suggestion, bool) {
	protocol := ""
	if parts := strings.Split(path, "/"); len(parts) > 3 && strings.EqualFold(parts[1], "protocols") {
		protocol = strings.ToLower(parts[2])
	}
	value = strings.TrimSpace(value)
	switch {
	case len(value) > len("mailto:") && strings.EqualFold(value[:len("mailto:")], "mailto:"):
		return suggestMailto(path, protocol, value)
	case name == "host" || name == "hostname":
		return placeholders{}.host(path, protocol, value) // there are none in this format: a percent sign is no host's
	case name == "url" || name == "issuer":
		return placeholders{}.url(path, protocol, value)
	}
	return suggestAbsolute(path, protocol, value)
}

// paccPorts are the ports that a host without one stands for (RFC 8314): the format has no place for another, nor for STARTTLS.
var paccPorts = map[string]uint16{"imap": 993, "pop3": 995, "smtp": 465}

// byPassword reports whether a client needs nothing but a password to log in, which is all that a composed document speaks of: OAuth needs an issuer, and settings have none.
func byPassword(auth string) bool {
	return auth == "" || auth == "password-cleartext" || auth == "password-encrypted" || auth == "NTLM"
}

// composePACC writes what the format can carry and leaves the rest to the other dialects. Whoever publishes a digest in the DNS has to
// publish that of this very answer; the guard publishes none, and a client that insists on one goes on to the next dialect.
func composePACC(q Inquiry, s Settings) (Answer, error) {
	protocols := jsonObject()
	for _, name := range [...]string{"jmap", "imap", "pop3", "smtp", "caldav", "carddav"} {
		v, ok := s.server(name)
		if !ok || !byPassword(v.Auth) {
			continue
		}
		member := jsonMember{"url", jsonText(v.endpoint())}
		if port, byHost := paccPorts[name]; byHost {
			if v.Encryption == encryptionSTARTTLS || v.Encryption == encryptionNone || v.port() != port {
				continue
			}
			member = jsonMember{"host", jsonText(v.Host)}
		}
		protocols.members = append(protocols.members, jsonMember{name, jsonObject(member)})
	}
	if len(protocols.members) == 0 {
		return Answer{}, fmt.Errorf("%w: PACC has no place for them", ErrCannotCarry)
	}
	return jsonObject(
		jsonMember{"protocols", protocols},
		jsonMember{"authentication", jsonObject(jsonMember{"password", jsonTrue()})},
		jsonMember{"info", jsonObject(jsonMember{"provider", jsonObject(jsonMember{"name", jsonText(cmp.Or(s.displayName(), askedDomain(q.Subjects)))})})}).write("application/json")
}
