package companion

import "strings"

// dnsmasq writes configuration for dnsmasq (2.80 and later): local=/NAME/ answers that a name and everything below it does not exist,
// server=/NAME/# sends it to the usual servers again, and dns-rr is a record by its type and bytes: MX 0 and the root.
func dnsmasq(f Facts) []byte {
	d := denialOf(f)
	var b strings.Builder
	b.WriteString(comment("#", d.about(f)))
	for _, zone := range d.zones {
		b.WriteString("local=/" + zone + "/\n")
	}
	for _, name := range d.exempt {
		b.WriteString("server=/" + name + "/#\n")
	}
	for _, name := range d.names {
		b.WriteString("local=/" + name + "/\n")
	}
	for _, name := range d.nullMX {
		b.WriteString("dns-rr=" + name + ",15,000000\n")
	}
	return []byte(b.String())
}
