package gateway

import (
	"embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"text/template"
	"time"
)

//go:embed templates
var texts embed.FS

// file writes one file from its template. The templates are a part of the program: one that does not work is a mistake of ours, which a test finds.
func (p Plan) file(part, path, name string, data any) File {
	t := template.Must(template.New(name).ParseFS(texts, "templates/"+name, "templates/http3.nft"))
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n# Printed by \"%s setup gateway --print\"", path, Name)
	if p.Config != "" {
		b.WriteString(" from " + p.Config)
	}
	b.WriteString("; print it again when that has changed.\n")
	if err := t.Execute(&b, data); err != nil {
		panic(err)
	}
	return File{Part: part, Path: path, Text: b.String()}
}

// What follows is for the templates.

// Name is the service's name.
func (p Plan) Name() string { return Name }

// RulesFile is where the rules of the packet filter go.
func (p Plan) RulesFile() string { return "/etc/" + Name + ".nft" }

// SocketUnits are the names of the sockets, where systemd makes them.
func (p Plan) SocketUnits() string {
	var names []string
	for _, d := range p.sockets() {
		names = append(names, d.Unit())
	}
	return strings.Join(names, " ")
}

// sockets are the doors that systemd opens: all where that was asked for, and else those that take a privilege, which the guard then need not
// have.
func (p Plan) sockets() []door {
	return slices.DeleteFunc(p.doors(), func(d door) bool { return !p.Sockets && !d.Transparent && d.At.Port() >= 1024 })
}

// StopSeconds is when systemd loses patience: some time after the guard itself does.
func (p Plan) StopSeconds() int64 { return int64((p.Drain + 15*time.Second).Seconds()) }

// WritablePaths are the directories outside StateDirectory= that the guard writes to.
func (p Plan) WritablePaths() string {
	all := slices.Clone(p.Writable)
	if p.State != "" {
		all = append([]string{p.State}, all...)
	}
	return strings.Join(all, " ")
}

// PortList is for a set of nftables.
func (p Plan) PortList() string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(p.Ports)), ", "), "[]")
}

// forwards reports whether anybody but the gateway's own programs comes to the transparent door.
func (p Plan) forwards() bool {
	return slices.ContainsFunc(p.Clients, func(c netip.Prefix) bool { return !c.Addr().IsLoopback() })
}

// Passes6 reports whether what is forwarded may be IPv6: there are clients, and the door serves them.
func (p Plan) Passes6() bool {
	return slices.ContainsFunc(p.Clients, func(c netip.Prefix) bool { return c.Addr().Is6() && !c.Addr().IsLoopback() }) &&
		slices.ContainsFunc(p.Families(), func(f Family) bool { return f.Version == 6 })
}

// Forwards is forwards for a rewriting packet filter: what comes from outside is not rewritten to a loopback address.
func (p Plan) Forwards() bool { return p.forwards() && !p.Transparent.Addr().IsLoopback() }

// Family is one of the two that a rule is about.
type Family struct {
	// NFProto, IP and Set are how nftables calls it, its addresses, and their type.
	NFProto, IP, Set string
	// Version is 4 or 6.
	Version int
	// To is where a connection is sent, as an address and a port, or a colon and a port where the door has all addresses.
	To string
	// All says that it is the latter.
	All bool
	// Clients, Private and Dialled are sets; what is empty matches nothing.
	Clients, Private, Dialled string
}

// Families are those that the transparent door serves: both where it has the address ::.
func (p Plan) Families() []Family {
	at := p.Transparent.Addr()
	var all []Family
	for _, f := range []Family{
		{NFProto: "ipv4", IP: "ip", Set: "ipv4_addr", Version: 4},
		{NFProto: "ipv6", IP: "ip6", Set: "ipv6_addr", Version: 6},
	} {
		if !(at.Is4() == (f.Version == 4) || at == netip.IPv6Unspecified()) {
			continue
		}
		f.All, f.To = at.IsUnspecified(), p.Transparent.String()
		if f.All {
			f.To = fmt.Sprintf(":%d", p.Transparent.Port())
		}
		f.Clients = setElements(p.Clients, f.Version)
		if !p.AllPrivate {
			f.Private, f.Dialled = setElements(privateRanges, f.Version), setElements(p.Private, f.Version)
		}
		all = append(all, f)
	}
	return all
}

// privateRanges are the destinations that the guard does not dial unless upstream.private says so, as far as somebody may be reached there: RFC 1918,
// RFC 6598 (carriers), RFC 3927 (link-local), RFC 4193 (unique local), RFC 4291 (link-local).
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("fc00::/7"),
	netip.MustParsePrefix("fe80::/10"),
}

// setElements lists the ranges of one family.
func setElements(ranges []netip.Prefix, version int) string {
	var all []string
	for _, r := range ranges {
		if r.Addr().Is4() == (version == 4) {
			all = append(all, r.Masked().String())
		}
	}
	return strings.Join(all, ", ")
}
