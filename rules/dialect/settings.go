package dialect

// Settings are what a composed answer tells a client: the servers of an account, in the words of no dialect.
type Settings struct {
	// Address is the account's mail address, DisplayName the owner's or provider's name for people.
	Address, DisplayName string
	Servers              []Server
}

// Server is one service of an account.
type Server struct {
	// Protocol is imap, pop3, smtp (submission), activesync, ews, jmap, caldav or carddav.
	Protocol string
	Host     string
	// Port is the port; 0 means the protocol's own for the encryption.
	Port uint16
	// Encryption is ssl (TLS from the first byte), starttls or none.
	Encryption string
	// Username is what the client logs in with; empty means the address.
	Username string
	// Auth is password-cleartext, password-encrypted, NTLM, GSSAPI, client-IP-address, TLS-client-cert, OAuth2 or none, the words of
	// Mozilla's format; empty means password-cleartext.
	Auth string
	// URL is the endpoint of the protocols that have one; empty means https://Host/ with the protocol's usual path.
	URL string
}

// server finds the first server of a protocol.
func (s Settings) server(protocol string) (Server, bool) {
	for _, v := range s.Servers {
		if v.Protocol == protocol {
			return v, true
		}
	}
	return Server{}, false
}

// displayName is what people are shown.
func (s Settings) displayName() string {
	if s.DisplayName != "" {
		return s.DisplayName
	}
	return s.Address
}

// login is what the client logs in with.
func (s Settings) login(v Server) string {
	if v.Username != "" {
		return v.Username
	}
	return s.Address
}

// port is the server's port, or the one that IANA assigned for the protocol and encryption (RFC 8314).
func (v Server) port() uint16 {
	if v.Port != 0 {
		return v.Port
	}
	tls := v.Encryption != encryptionSTARTTLS && v.Encryption != encryptionNone
	switch {
	case v.Protocol == "imap" && tls:
		return 993
	case v.Protocol == "imap":
		return 143
	case v.Protocol == "pop3" && tls:
		return 995
	case v.Protocol == "pop3":
		return 110
	case v.Protocol == "smtp" && tls:
		return 465
	case v.Protocol == "smtp":
		return 587
	}
	return 443
}

// usualPaths are where servers of the protocols that have a URL answer when nothing else is said.
var usualPaths = map[string]string{
	"activesync": "/Microsoft-Server-ActiveSync", "ews": "/EWS/Exchange.asmx", "jmap": "/.well-known/jmap",
	"caldav": "/.well-known/caldav", "carddav": "/.well-known/carddav",
}

// endpoint is the server's URL.
func (v Server) endpoint() string {
	if v.URL != "" {
		return v.URL
	}
	return "https://" + v.Host + usualPaths[v.Protocol]
}
