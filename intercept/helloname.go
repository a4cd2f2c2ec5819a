package intercept

import (
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

// helloName is the host that a ClientHello means which crypto/tls has turned down, empty where it names none or is none. See decision 47.
//
// crypto/tls reads a hello as a server that is about to answer it, and turns down what others let pass: a name with a trailing dot (go1.26,
// handshake_messages.go), an extension that came twice, one that OpenSSL skips unread below TLS 1.3. So here nothing is looked at but where the name
// stands, and the hello may end early. Whoever is shown into the hall for it does not come in: there crypto/tls reads the same hello.
func helloName(heard []byte) string {
	records, hello := cryptobyte.String(heard), cryptobyte.String(nil)
	var is uint8
	var kind, length uint16
	var part, name cryptobyte.String
	for records.ReadUint8(&is) && records.Skip(2) && records.ReadUint16(&length) {
		var fragment []byte
		if records.ReadBytes(&fragment, min(int(length), len(records))); is == recordTypeHandshake {
			hello = append(hello, fragment...)
		}
	}
	const beforeSession = 4 + 2 + 32 // RFC 8446, section 4 and 4.1.2: type and length, version, random
	if !hello.Skip(beforeSession) || !hello.ReadUint8LengthPrefixed(&part) || !hello.ReadUint16LengthPrefixed(&part) ||
		!hello.ReadUint8LengthPrefixed(&part) || !hello.Skip(2) {
		return ""
	}
	for hello.ReadUint16(&kind) && hello.ReadUint16LengthPrefixed(&part) {
		const listAndType = 2 + 1 // RFC 6066, section 3
		if kind == 0 && part.Skip(listAndType) && part.ReadUint16LengthPrefixed(&name) {
			return string(name)
		}
	}
	return ""
}

// meantBy is the host that a name in a handshake means to servers that look for less than a host in it: to nginx 1.22 it may have a port, or dots and spaces
// around it.
func meantBy(name string) string {
	host, _, _ := strings.Cut(name, ":")
	return strings.Trim(host, ". ")
}
