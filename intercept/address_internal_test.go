package intercept

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestPrivate_refuses(t *testing.T) {
	var none Private
	for _, refused := range []string{
		"127.0.0.1", "127.255.0.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1",
		"169.254.169.254", "169.254.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16",
		"224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1",
		"::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
		"::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:10.0.0.1",
		"64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::5db8:d822", "2002:7f00:1::", "2002:a9fe:a9fe::1",
		"2001:0:5db8:d822:0:0:80ff:fffe", "2001:db8::5efe:10.0.0.1", "2600::200:5efe:127.0.0.1",
	} {
		if !none.refuses(netip.MustParseAddr(refused)) {
			t.Errorf("%s is not refused", refused)
		}
		if AllowPrivate().refuses(netip.MustParseAddr(refused)) {
			t.Errorf("%s is refused where all are allowed", refused)
		}
	}
	for _, public := range []string{
		"93.184.216.34", "9.255.255.255", "11.0.0.0", "172.15.0.1", "172.32.0.1", "192.167.255.255", "192.0.1.1", "100.128.0.1", "223.255.255.255",
		"2600::1", "2a00:1450::5efd:0a00:1", "64:ff9b::5db8:d822", "2002:5db8:d822::1", "::ffff:93.184.216.34",
	} {
		if none.refuses(netip.MustParseAddr(public)) {
			t.Errorf("%s is refused", public)
		}
	}
	if !none.refuses(netip.Addr{}) {
		t.Error("an address that nobody could read is not refused")
	}
}

func TestPrivate_ranges(t *testing.T) {
	some, err := AllowPrivateIn(netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32"), netip.MustParsePrefix("::ffff:10.2.0.0/112"))
	if err != nil {
		t.Fatal(err)
	}
	for addr, refused := range map[string]bool{
		"10.1.2.3": false, "::ffff:10.1.2.3": false, "64:ff9b::10.1.2.3": false, "10.2.2.3": false, "10.3.0.1": true,
		"fd00:1::1": false, "fd00:2::1": true, "169.254.169.254": true, "127.0.0.1": true,
	} {
		if got := some.refuses(netip.MustParseAddr(addr)); got != refused {
			t.Errorf("%s: got refused %v, want %v", addr, got, refused)
		}
	}
	for _, bad := range []netip.Prefix{{}, netip.MustParsePrefix("::ffff:0.0.0.0/90")} {
		if _, err := AllowPrivateIn(bad); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}

func TestSelf(t *testing.T) {
	p := &Plugin{}
	p.Listening(&net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 8080})
	p.Listening(&net.TCPAddr{IP: net.IPv6unspecified, Port: 8443})
	p.Listening(hallAddr{}) // no address at all
	p.Listening(nil)
	for addr, own := range map[string]bool{
		"192.0.2.7:8080": true, "192.0.2.7:8081": false, "192.0.2.8:8080": false, "127.0.0.1:8080": false,
		"127.0.0.1:8443": true, "127.3.4.5:8443": true, "[::1]:8443": true, "0.0.0.0:8443": true, "192.0.2.7:8443": false,
	} {
		if got := p.self.is(netip.MustParseAddrPort(addr)); got != own {
			t.Errorf("%s: got own %v, want %v", addr, got, own)
		}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		ip, _ := netip.AddrFromSlice(a.(*net.IPNet).IP)
		if !p.self.is(netip.AddrPortFrom(ip.Unmap(), 8443)) {
			t.Errorf("%v is an address of this computer", a)
		}
	}
}

// A system that does not say which addresses it has is asked again, and what it said before stays true.
func TestOwnAddresses_notSaid(t *testing.T) {
	own := ownAddresses{list: func() ([]net.Addr, error) { return nil, errors.New("no netlink") }}
	at := netip.MustParseAddr("198.51.100.7")
	if own.ask() == nil || own.has(at) {
		t.Error("it was said, or made up")
	}
	failing := own.list
	own.list = func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: at.AsSlice(), Mask: net.CIDRMask(24, 32)}}, nil
	}
	if !own.has(at) {
		t.Error("it was not asked again")
	}
	own.list, own.asked = failing, time.Time{}
	if !own.has(at) {
		t.Error("it was forgotten")
	}
}

// Addresses of this computer that are nobody's private ones are its surroundings, too, unless the operator says otherwise.
func TestSelf_ownAddresses(t *testing.T) {
	s := &self{own: ownAddresses{list: func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.ParseIP("198.51.100.7"), Mask: net.CIDRMask(24, 32)}, &net.IPNet{IP: net.ParseIP("2001:db8::7"), Mask: net.CIDRMask(64, 128)}}, nil
	}}}
	some, err := AllowPrivateIn(netip.MustParsePrefix("198.51.100.7/32"))
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]struct{ none, some error }{
		"198.51.100.7:22": {errComputer, nil}, "[::ffff:198.51.100.7]:22": {errComputer, nil}, "[2001:db8::7]:22": {errComputer, errComputer}, "198.51.100.8:22": {nil, nil}, "[2001:db8::8]:22": {nil, nil},
	} {
		for private, want := range map[*Private]error{{}: want.none, &some: want.some, {all: true}: nil} {
			if err := s.checked(*private, nil)(t.Context(), "tcp", addr, nil); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", addr, err, want)
			}
		}
	}
}

func TestEndsInNumber(t *testing.T) {
	for host, number := range map[string]bool{
		"127.1": true, "2130706433": true, "0x7f000001": true, "0x7f.1": true, "017700000001": true, "a.0x": true, "example.1": true,
		"127.0.0.1": false, "::1": false, "a.net": false, "1.net": false, "a.x1": false, "0x7f.net": false,
	} {
		if got := endsInNumber(host); got != number {
			t.Errorf("%s: got %v, want %v", host, got, number)
		}
	}
}
