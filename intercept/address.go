package intercept

import (
	"fmt"
	"net/netip"

	"autodiscover-guard/rules/reserved"
)

// Private says which addresses of the guard's own surroundings may be dialled: the computer itself, its networks, what a cloud serves there.
// The zero value allows none, so that nobody reaches through the guard what he could not reach without it.
type Private struct {
	all    bool
	ranges []netip.Prefix
}

// AllowPrivate allows every address.
func AllowPrivate() Private { return Private{all: true} }

// AllowPrivateIn allows the addresses in the ranges; none of them allows none. A range that no address can be in is refused.
func AllowPrivateIn(ranges ...netip.Prefix) (Private, error) {
	all, err := readRanges("Upstream.Private", ranges)
	return Private{ranges: all}, err
}

// readRanges takes ranges of addresses over as addresses are compared: IPv4 as such, in whatever spelling.
func readRanges(name string, ranges []netip.Prefix) ([]netip.Prefix, error) {
	all := make([]netip.Prefix, 0, len(ranges))
	for _, r := range ranges {
		if !r.IsValid() {
			return nil, fmt.Errorf("reading %s: %v is not an address range; want one like 10.0.0.0/8", name, r)
		}
		if a := r.Addr(); a.Is4In6() {
			if r.Bits() < 96 {
				return nil, fmt.Errorf("reading %s: %s holds IPv4 and IPv6; want each in its own spelling", name, r)
			}
			r = netip.PrefixFrom(a.Unmap(), r.Bits()-96)
		}
		all = append(all, r.Masked())
	}
	return all, nil
}

// allows reports whether an address may be dialled whatever it is.
func (p Private) allows(a netip.Addr) bool { return p.all || within(p.ranges, a) }

// refuses reports whether an address must not be dialled. One that carries another inside is judged by that one too: a translator on
// the way may lead there.
func (p Private) refuses(a netip.Addr) bool {
	if p.all {
		return false
	}
	if !a.IsValid() {
		return true
	}
	a = a.Unmap().WithZone("")
	if within(p.ranges, a) {
		return false
	}
	if inner, ok := carried(a); ok && p.refuses(inner) {
		return true
	}
	return reserved.PrivateAddr(a) || within(surroundings, a)
}

// surroundings are what reserved.PrivateAddr leaves out, because no suggestion can mean them, but a name may resolve to them.
var surroundings = []netip.Prefix{
	netip.MustParsePrefix("192.0.0.0/24"),     // RFC 6890, section 2.2.2; Oracle's cloud serves metadata at 192.0.0.192
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's own address in every virtual network (learn.microsoft.com: "What is IP address 168.63.129.16?")
	netip.MustParsePrefix("224.0.0.0/4"),      // multicast: RFC 5771, section 3
	netip.MustParsePrefix("240.0.0.0/4"),      // RFC 1112, section 4; with it the broadcast address (RFC 919, section 7)
	netip.MustParsePrefix("64:ff9b:1::/48"),   // a network's own translator: RFC 8215; where the IPv4 address stands is the network's choice
	netip.MustParsePrefix("fec0::/10"),        // site-local, deprecated but routed by old gear: RFC 3879, section 4
	netip.MustParsePrefix("ff00::/8"),         // multicast: RFC 4291, section 2.7
}

// carriers are the ranges of IPv6 addresses that hold an IPv4 address, with its first byte's place.
var carriers = []struct {
	prefix netip.Prefix
	at     int
	flip   byte
}{
	{netip.MustParsePrefix("::/96"), 12, 0},           // IPv4-compatible: RFC 4291, section 2.5.5.1
	{netip.MustParsePrefix("64:ff9b::/96"), 12, 0},    // NAT64: RFC 6052, section 2.1
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12, 0}, // SIIT: RFC 2765, section 2.1
	{netip.MustParsePrefix("2002::/16"), 2, 0},        // 6to4: RFC 3056, section 2
	{netip.MustParsePrefix("2001::/32"), 12, 0xff},    // Teredo, the client's address: RFC 4380, section 4
}

// carried is the IPv4 address inside an IPv6 address.
func carried(a netip.Addr) (netip.Addr, bool) {
	if !a.Is6() {
		return netip.Addr{}, false
	}
	b := a.As16()
	for _, c := range carriers {
		if c.prefix.Contains(a) {
			return netip.AddrFrom4([4]byte{b[c.at] ^ c.flip, b[c.at+1] ^ c.flip, b[c.at+2] ^ c.flip, b[c.at+3] ^ c.flip}), true
		}
	}
	// ISATAP: the last half of the address says 0000:5efe or 0200:5efe (RFC 5214, section 6.1).
	if b[8]&^0x02 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe {
		return netip.AddrFrom4([4]byte(b[12:])), true
	}
	return netip.Addr{}, false
}
