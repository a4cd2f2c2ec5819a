package companion

import "strings"

// responsePolicyZone writes a response policy zone (draft-vixie-dnsop-dns-rpz): CNAME to the root says that a name does not exist, CNAME
// rpz-passthru lets it be. There is no null MX in it: a record in such a zone hides all others of its name, the address of example.com with it.
func responsePolicyZone(f Facts) []byte {
	d := denialOf(f)
	var b strings.Builder
	b.WriteString(comment(";", append(d.about(f),
		"In named.conf: response-policy { zone \"rpz.autodiscover-guard\"; } break-dnssec yes; and a zone of that name with this file.",
		"Without break-dnssec whoever asks for signatures is told what a signed domain has.",
		"Raise the serial number where there are secondary servers.")))
	b.WriteString("$TTL 300\n@ SOA localhost. root.localhost. ( 1 3600 600 604800 300 )\n@ NS localhost.\n")
	both := func(name, target string) {
		b.WriteString(name + " CNAME " + target + "\n*." + name + " CNAME " + target + "\n")
	}
	for _, name := range d.exempt {
		both(name, "rpz-passthru.")
	}
	for _, name := range d.zones {
		both(name, ".")
	}
	for _, name := range d.names {
		both(name, ".")
	}
	return []byte(b.String())
}
