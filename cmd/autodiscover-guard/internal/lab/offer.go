package lab

import "strings"

// LabDomain is the domain of a laboratory: private use, with a mail server that really is its own (RFC 6761, section 6.2).
const LabDomain = "lab.test"

// What the laboratory's answers suggest: a server of its own, which must keep working, and one that it never heard of.
const (
	LabServer   = "mail." + LabDomain
	LabStranger = "imap.stranger.net"
)

// offer is one server that an answer suggests, always with TLS from the first byte.
type offer struct {
	protocol string
	host     string
	port     int
}

// offersFor says what is suggested to an account on domain. It is the same in every dialect.
func offersFor(domain string) []offer {
	switch domain {
	case "example.com":
		return incidentOffers()
	case LabDomain:
		return []offer{
			{protocol: "imap", host: LabServer, port: 993},
			{protocol: "imap", host: LabStranger, port: 993},
			{protocol: "smtp", host: LabServer, port: 465},
		}
	default:
		return []offer{
			{protocol: "imap", host: "imap." + domain, port: 993},
			{protocol: "smtp", host: "smtp." + domain, port: 465},
		}
	}
}

// domainOf is what follows the last @, lower case; empty where address cannot be a mail address.
func domainOf(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return ""
	}
	domain := strings.TrimRight(strings.ToLower(address[at+1:]), ".")
	if strings.ContainsFunc(domain, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`"&'/:<>?[\]`, r) }) {
		return ""
	}
	return domain
}
