package dialect

import (
	"fmt"
	"strconv"

	"github.com/beevik/etree"
)

// soapConnections are the settings that hold servers of mail protocols (MS-OXWSADISC 3.1.4, GetUserSettings), in the order in which they are written.
var soapConnections = [...]struct{ protocol, name string }{
	{"imap", "ExternalImap4Connections"}, {"pop3", "ExternalPop3Connections"}, {"smtp", "ExternalSmtpConnections"},
}

// composeSOAP writes the settings of one user. Which of them the request asks for does not matter: clients pick theirs by name. The three
// other operations, and several users at once, have no place for what Settings hold.
func composeSOAP(q Inquiry, s Settings) (Answer, error) {
	question := readSOAPQuestion(q.Request)
	if question.operation != soapUserSettings || len(question.asked) > 1 {
		return Answer{}, fmt.Errorf("%w: SOAP carries the settings of one user", ErrCannotCarry)
	}
	root, response := soapEnvelope(soapUserSettings)
	response.CreateAttr("xmlns:i", soapInstance)
	soapError(response, "NoError", "")
	user := response.CreateElement("UserResponses").CreateElement("UserResponse")
	soapError(user, "NoError", "No error.")
	user.CreateElement("RedirectTarget").CreateAttr("i:nil", "true")
	user.CreateElement("UserSettingErrors")
	settings := user.CreateElement("UserSettings")
	soapString(settings, "UserDisplayName", s.displayName())
	soapString(settings, "AutoDiscoverSMTPAddress", s.Address)
	without := len(settings.Child)
	if v, ok := s.server("ews"); ok {
		soapString(settings, "ExternalEwsUrl", v.endpoint())
	}
	for _, c := range soapConnections {
		if v, ok := s.server(c.protocol); ok {
			soapConnection(settings, c.name, v)
		}
	}
	if len(settings.Child) == without {
		return Answer{}, fmt.Errorf("%w: SOAP has no place for them", ErrCannotCarry)
	}
	return (&xmlDocument{root: root}).write(typeXML)
}

func soapSetting(settings *etree.Element, kind, name string) *etree.Element {
	e := settings.CreateElement("UserSetting")
	e.CreateAttr("i:type", kind)
	textElement(e, "Name", name)
	return e
}

func soapString(settings *etree.Element, name, value string) {
	textElement(soapSetting(settings, "StringSetting", name), "Value", value)
}

// soapConnection writes one server, in the order of Microsoft's reference (ProtocolConnection (SOAP)).
func soapConnection(settings *etree.Element, name string, v Server) {
	e := soapSetting(settings, "ProtocolConnectionCollectionSetting", name)
	c := e.CreateElement("ProtocolConnections").CreateElement("ProtocolConnection")
	_, encryption := poxEncryption(v.Encryption) // the words are those of POX
	textElement(c, "Hostname", v.Host)
	textElement(c, "Port", strconv.Itoa(int(v.port())))
	textElement(c, "EncryptionMethod", encryption)
}
