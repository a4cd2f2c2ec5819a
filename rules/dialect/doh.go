package dialect

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"autodiscover-guard/rules/reserved"
)

// DNS over HTTPS, for the look-ups of discovery and for no other name: the host of a question is
//
//	_autodiscover._tcp.lab.test SRV · _imaps._tcp.lab.test SRV (RFC 6186, RFC 8314) · lab.test MX · autoconfig.lab.test A …
//
// either as a DNS message (RFC 8484, in the query or the body) or in the JSON form of Google and Cloudflare. No mail client is known to do
// it by itself today; a system resolver may do it for all of them.
var doh = wireFormat{
	info: Info{
		ID:       DoH,
		Name:     "doh",
		Title:    "DNS over HTTPS, for names of discovery",
		Citation: "RFC 8484; RFC 6186, RFC 6764, RFC 8314",
		Clients:  "system and browser resolvers; no mail client of its own accord",
		Services: []Service{{
			Name: "doh",
			Hosts: []string{
				"dns.google", "cloudflare-dns.com", "one.one.one.one", "dns.quad9.net", "doh.opendns.com", "dns.nextdns.io",
				"dns.adguard-dns.com", "doh.cleanbrowsing.org",
			},
			Note: "switching this on opens every look-up of a computer that uses these resolvers; only names of discovery are judged",
		}},
	},
	recognise: func(r Request, _, path string) bool {
		if path != "/dns-query" && path != "/resolve" && !speaksDNS(r.Header.Get("Accept")) && !speaksDNS(r.Header.Get("Content-Type")) {
			return false
		}
		if r.Method == "POST" && len(r.Body) == 0 { // what is asked will be known when the body is
			return strings.Contains(r.Header.Get("Content-Type"), "application/dns-message")
		}
		_, ok := dohQuestion(r)
		return ok
	},
	querySubjects: func(u *url.URL) []Subject { return dohSubjects(Request{Method: "GET", URL: u}, "query:dns") },
	bodySubjects:  func(r Request) []Subject { return dohSubjects(r, "body") },
	secretFree:    func(Request) bool { return true }, // a DNS message, of which the question was read
	readBinary:    readDNS,
	read:          readDNSJSON,
	refuse:        refuseDoH,
}

// lookup is a question of discovery.
type lookup struct {
	id     uint16
	name   string // as asked
	kind   dnsmessage.Type
	domain string
}

// discoveryServices are the SRV labels of discovery (RFC 6186, 6764, 8314, 8620; MS-OXDISCO 3.1.5.2).
var discoveryServices = [...]string{
	"_imap", "_imaps", "_pop3", "_pop3s", "_submission", "_submissions", "_autodiscover", "_caldav", "_caldavs", "_carddav", "_carddavs", "_jmap",
}

// dnsTypes are the mnemonics of the JSON form.
var dnsTypes = map[string]dnsmessage.Type{
	"a": dnsmessage.TypeA, "aaaa": dnsmessage.TypeAAAA, "cname": dnsmessage.TypeCNAME, "mx": dnsmessage.TypeMX, "srv": dnsmessage.TypeSRV,
	"txt": dnsmessage.TypeTXT, "any": dnsmessage.TypeALL, "*": dnsmessage.TypeALL, "svcb": 64, "https": 65, // RFC 9460
}

// dnsType is what a type in the JSON form stands for, a mnemonic or a number; A where it is not said, 0 where it is not known.
func dnsType(s string) dnsmessage.Type {
	if s == "" {
		return dnsmessage.TypeA
	}
	if n, err := strconv.ParseUint(s, 10, 16); err == nil {
		return dnsmessage.Type(n)
	}
	return dnsTypes[strings.ToLower(s)]
}

// speaksDNS reports whether a header field has one of the media types of DNS: application/dns-message, application/dns-json.
func speaksDNS(value string) bool { return strings.Contains(value, "application/dns-") }

func dohSubjects(r Request, carrier string) []Subject {
	q, ok := dohQuestion(r)
	if !ok {
		return nil
	}
	return []Subject{{Domain: q.domain, Carrier: carrier}}
}

// dohQuestion reads the question out of a request. Parameters of another spelling than the standard's are not looked for.
func dohQuestion(r Request) (lookup, bool) {
	if r.Method == "POST" {
		return messageQuestion(r.Body)
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // what can be read of it
	if encoded := query.Get("dns"); encoded != "" {
		message, err := decodeBase64(strings.ReplaceAll(encoded, " ", "+")) // FairEmail's is not that of URLs
		if err != nil {
			return lookup{}, false
		}
		return messageQuestion(message)
	}
	return discoveryLookup(0, query.Get("name"), dnsType(query.Get("type")))
}

func messageQuestion(message []byte) (lookup, bool) {
	var p dnsmessage.Parser
	header, err := p.Start(message)
	if err != nil || header.Response {
		return lookup{}, false
	}
	q, err := p.Question()
	if err != nil {
		return lookup{}, false
	}
	return discoveryLookup(header.ID, q.Name.String(), q.Type)
}

// discoveryLookup takes a name of discovery apart; ok is false for all other names. Such a name is asked about for discovery, whatever the type of record: HTTPS
// and ANY lead to other hosts as well as CNAME does. A bare domain is, where its mail servers may be among the answer.
func discoveryLookup(id uint16, name string, kind dnsmessage.Type) (lookup, bool) {
	q := lookup{id: id, name: name, kind: kind, domain: reserved.Canonical(name)}
	service, rest, _ := strings.Cut(q.domain, ".")
	if domain, ok := strings.CutPrefix(rest, "_tcp."); ok && slices.Contains(discoveryServices[:], service) {
		q.domain = domain
		return q, q.domain != ""
	}
	if domain, ok := strings.CutPrefix(q.domain, "_ua-auto-config."); ok {
		q.domain = domain
		return q, q.domain != ""
	}
	if domain, ok := DiscoveryDomain(q.domain); ok && kind != dnsmessage.TypeMX {
		q.domain = domain
		return q, q.domain != ""
	}
	return q, q.domain != "" && (kind == dnsmessage.TypeMX || kind == dnsmessage.TypeALL)
}
