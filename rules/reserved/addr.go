package reserved

import (
	"net/netip"
	"slices"
	"strings"
)

// AddrEntry is one range of addresses that stands for nobody on the Internet. Its Entry has the range as Name and "ietf" as Set.
type AddrEntry struct {
	Entry
	Prefix netip.Prefix
}

// addrRows are the ranges that can stand in a mail address (user@[192.0.2.1]) and mean no public host. No two overlap. Multicast and
// unassigned space is left out: it names no host at all.
var addrRows = []AddrEntry{
	addrRow("192.0.2.0/24", Documentation, "RFC 5737, section 3", "TEST-NET-1"),
	addrRow("198.51.100.0/24", Documentation, "RFC 5737, section 3", "TEST-NET-2"),
	addrRow("203.0.113.0/24", Documentation, "RFC 5737, section 3", "TEST-NET-3"),
	addrRow("2001:db8::/32", Documentation, "RFC 3849, section 2", ""),
	addrRow("3fff::/20", Documentation, "RFC 9637", ""),
	addrRow("0.0.0.0/8", PrivateUse, "RFC 1122, section 3.2.1.3", "this host; several systems connect 0.0.0.0 to themselves"),
	addrRow("127.0.0.0/8", PrivateUse, "RFC 1122, section 3.2.1.3", "loopback"),
	addrRow("10.0.0.0/8", PrivateUse, "RFC 1918, section 3", ""),
	addrRow("172.16.0.0/12", PrivateUse, "RFC 1918, section 3", ""),
	addrRow("192.168.0.0/16", PrivateUse, "RFC 1918, section 3", ""),
	addrRow("100.64.0.0/10", PrivateUse, "RFC 6598, section 7", "shared by a provider's customers; overlay networks use it too"),
	addrRow("169.254.0.0/16", PrivateUse, "RFC 3927, section 2.1", "link-local; clouds serve their metadata there"),
	addrRow("198.18.0.0/15", PrivateUse, "RFC 2544, appendix C.2.2", "benchmarks of network devices"),
	addrRow("::/128", PrivateUse, "RFC 4291, section 2.5.2", "unspecified; several systems connect it to themselves"),
	addrRow("::1/128", PrivateUse, "RFC 4291, section 2.5.3", "loopback"),
	addrRow("fe80::/10", PrivateUse, "RFC 4291, section 2.5.6", "link-local"),
	addrRow("fc00::/7", PrivateUse, "RFC 4193, section 3.1", "unique local"),
}

func addrRow(prefix string, nature Nature, citation, note string) AddrEntry {
	return AddrEntry{
		Entry:  Entry{Name: prefix, Set: ietfSet, Nature: nature, Authority: "IETF", Citation: citation, Note: note},
		Prefix: netip.MustParsePrefix(prefix),
	}
}

// MappedRange reports whether a range begins at an IPv4 address in the spelling of IPv6, and is wider than all of those (::ffff:10.0.0.0/8): addresses are compared as IPv4, and none is in it. What
// was meant is the range of IPv4 that has this length, if one can.
func MappedRange(p netip.Prefix) (meant netip.Prefix, mapped bool) {
	if a := p.Addr(); a.Is4In6() && p.Bits() < 96 {
		meant, _ = a.Unmap().Prefix(p.Bits())
		return meant, true
	}
	return netip.Prefix{}, false
}

// MatchAddr finds the range that a is in. Zones do not matter, and an IPv4 address that is mapped into IPv6 counts as IPv4. The zero Addr
// is in none.
func MatchAddr(a netip.Addr) (AddrEntry, bool) {
	a = a.Unmap().WithZone("")
	for i := range addrRows {
		if addrRows[i].Prefix.Contains(a) {
			return addrRows[i], true
		}
	}
	return AddrEntry{}, false
}

// MatchAddr is the function [MatchAddr] where s holds the set "ietf", which addresses belong to, and finds nothing where it does not.
func (s *Set) MatchAddr(a netip.Addr) (AddrEntry, bool) {
	if !s.orDefault().addrs {
		return AddrEntry{}, false
	}
	return MatchAddr(a)
}

// ParseAddr is netip.ParseAddr for a host that is a name in nearly all cases: those are told apart by a look, because the error of netip.ParseAddr
// costs an allocation. ok is false for whatever is no address.
func ParseAddr(host string) (a netip.Addr, ok bool) {
	last := len(host) - 1
	if last < 0 || (host[last] < '0' || host[last] > '9') && strings.IndexByte(host, ':') < 0 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(host)
	return a, err == nil
}

// IsAddress reports whether a canonical host is an address, and no name.
func IsAddress(host string) bool {
	_, ok := ParseAddr(host)
	return ok
}

// PrivateAddr reports whether a can only be a host of the own machine, network or provider: it is in a range of nature [PrivateUse]. It
// does not depend on a Set. Addresses that carry another one inside (NAT64, 6to4, Teredo) are not looked into.
func PrivateAddr(a netip.Addr) bool {
	e, _ := MatchAddr(a)
	return e.Nature == PrivateUse
}

// AddrEntries lists the ranges. The caller owns the slice.
func AddrEntries() []AddrEntry { return slices.Clone(addrRows) }
