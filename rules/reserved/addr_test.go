package reserved_test

import (
	"net/netip"
	"testing"

	"autodiscover-guard/rules/reserved"
)

func TestParseAddr_isThatOfNetip(t *testing.T) {
	for _, host := range []string{
		"", ".", "0", "1", "example.com", "host1", "1.2.3.4", "1.2.3", "1.2.3.04", "1.2.3.4.", "1.2.3.256", "192.0.2.1:25", "::", "::1", "fe80::1%eth0",
		"2001:db8::abcd", "2001:DB8::ABCD", "::ffff:192.0.2.1", "[::1]", "a:b", "abcd:", "1::2::3", "0x7f.1",
	} {
		want, err := netip.ParseAddr(host)
		if a, ok := reserved.ParseAddr(host); ok != (err == nil) || a != want {
			t.Errorf("%q: got %v, %v; netip has %v, %v", host, a, ok, want, err)
		}
	}
}

func TestMappedRange(t *testing.T) {
	for text, want := range map[string]string{
		"::ffff:10.0.0.0/8": "10.0.0.0/8", "::ffff:10.1.2.3/8": "10.0.0.0/8", "::ffff:0:0/32": "0.0.0.0/32", "::ffff:10.0.0.0/33": "invalid Prefix", "::ffff:0:0/95": "invalid Prefix",
		"::ffff:10.0.0.0/96": "", "::ffff:10.0.0.0/104": "", "10.0.0.0/8": "", "2001:db8::/32": "", "::/64": "",
	} {
		if meant, mapped := reserved.MappedRange(netip.MustParsePrefix(text)); mapped != (want != "") || mapped && meant.String() != want {
			t.Errorf("%s: %v, %v, want %q", text, meant, mapped, want)
		}
	}
}
