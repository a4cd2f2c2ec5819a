package companion

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// mailPorts are those of SMTP, POP3, IMAP, submission and ManageSieve (RFC 8314; IANA).
const mailPorts = "{ 25, 110, 143, 465, 587, 993, 995, 4190 }"

// ownServers are where test clients may keep their mail: private, link-local and loopback addresses.
var ownServers = [...]string{"10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"}

// nftables writes a table that refuses connections of test clients to mail ports of strangers. A packet has no domain in it, so it is about
// clients, not about accounts: clients that have an account elsewhere as well are not to be in it. They see a closed port and give up at once.
func nftables(f Facts) []byte {
	servers := slices.Clone(f.Servers)
	for _, text := range ownServers {
		servers = append(servers, netip.MustParsePrefix(text))
	}
	clients := slices.DeleteFunc(slices.Clone(f.Clients), func(p netip.Prefix) bool { return p.Addr().IsLoopback() })
	var b strings.Builder
	b.WriteString(comment("#", []string{
		"autodiscover-guard, policy " + f.Policy.Revision() + ": test clients reach mail ports of their own servers only, so that a",
		"server that they guess, by names that no HTTP proxy sees, gets no password. It knows addresses and no domains: clients",
		"that have an account elsewhere must not be in it.",
	}))
	b.WriteString("table inet autodiscover_guard_mail\ndelete table inet autodiscover_guard_mail\ntable inet autodiscover_guard_mail {\n")
	set(&b, "servers", servers)
	if len(clients) == 0 {
		b.WriteString("\t# clients.allow names this computer alone: all of its programs are meant. Not for one that is a mail server.\n" +
			"\tchain output {\n\t\ttype filter hook output priority filter; policy accept;\n")
		rule(&b, "")
	} else {
		set(&b, "clients", clients)
		b.WriteString("\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n")
		rule(&b, "clients")
	}
	b.WriteString("\t}\n}\n")
	return []byte(b.String())
}

// set writes a set for each family.
func set(b *strings.Builder, name string, prefixes []netip.Prefix) {
	for _, family := range families {
		var elements []string
		for _, p := range prefixes {
			if p.Addr().Unmap().Is4() == family.four {
				elements = append(elements, p.String())
			}
		}
		fmt.Fprintf(b, "\tset %s%s {\n\t\ttype %s\n\t\tflags interval\n\t\tauto-merge\n", name, family.digit, family.kind)
		if len(elements) > 0 {
			b.WriteString("\t\telements = { " + strings.Join(elements, ", ") + " }\n")
		}
		b.WriteString("\t}\n")
	}
}

var families = [...]struct {
	four               bool
	digit, kind, match string
}{{true, "4", "ipv4_addr", "ip"}, {false, "6", "ipv6_addr", "ip6"}}

// rule refuses, for each family, what comes from the set of clients (or from anywhere) and goes to none of the servers.
func rule(b *strings.Builder, clients string) {
	for _, f := range families {
		from := ""
		if clients != "" {
			from = f.match + " saddr @" + clients + f.digit + " "
		}
		fmt.Fprintf(b, "\t\t%s%s daddr != @servers%s tcp dport %s counter reject with tcp reset\n", from, f.match, f.digit, mailPorts)
	}
}
