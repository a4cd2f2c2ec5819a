package dialect

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// ntlmAuthenticate begins the third message of NTLM, in which the client says who it is (MS-NLMP 2.2.1.3). Negotiate carries it inside a token of its own.
var ntlmAuthenticate = []byte("NTLMSSP\x00\x03\x00\x00\x00")

// The places of the fields in that message: DomainName, UserName, NegotiateFlags. A field is two lengths of two bytes and an offset of four.
const (
	ntlmDomain = 28
	ntlmUser   = 36
	ntlmFlags  = 60
	// ntlmUnicode is the flag which says that names are UTF-16.
	ntlmUnicode = 1
)

// ntlmSubjects reads whom an NTLM or Negotiate token names: user and domain stand in the clear. Other tokens (Kerberos) and messages name nobody.
func ntlmSubjects(token string) []Subject {
	decoded, err := decodeBase64(token)
	if err != nil {
		return nil
	}
	at := bytes.Index(decoded, ntlmAuthenticate)
	if at < 0 || len(decoded)-at < ntlmFlags+4 {
		return nil
	}
	m := decoded[at:]
	user := ntlmName(m, ntlmUser)
	if domain := ntlmName(m, ntlmDomain); domain != "" {
		user = domain + `\` + user
	}
	return userSubjects(user, CarrierLogin)
}

// ntlmName is the text of a field, or "" where it lies outside of the message.
func ntlmName(m []byte, field int) string {
	length, offset := int(binary.LittleEndian.Uint16(m[field:])), binary.LittleEndian.Uint32(m[field+4:])
	if uint64(offset)+uint64(length) > uint64(len(m)) { //nolint:gosec // of two bytes
		return ""
	}
	name := m[offset:][:length]
	if m[ntlmFlags]&ntlmUnicode == 0 {
		return string(name)
	}
	units := make([]uint16, len(name)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(name[2*i:])
	}
	return string(utf16.Decode(units))
}
