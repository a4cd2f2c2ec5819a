package reserved_test

import (
	"net/netip"
	"testing"

	"autodiscover-guard/rules/reserved"
)

func BenchmarkMatch(b *testing.B) {
	set := reserved.Default()
	for _, c := range []struct{ name, host string }{
		{"hit", "mail.example.com"},
		{"miss", "outlook.office365.com"},
		{"deep-subdomain", "a.very.deep.host.in.the.sales.department.eu.example.com"},
		{"upper-case", "OUTLOOK.Office365.COM."},
		{"idn", "例子.测试"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.Match(c.host)
			}
		})
	}
}

func BenchmarkCanonical(b *testing.B) {
	for _, c := range []struct{ name, host string }{
		{"canonical", "outlook.office365.com"},
		{"upper-case", "Outlook.Office365.COM."},
		{"idn", "例子.测试"},
		{"address", "[2001:DB8::1]:443"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				reserved.Canonical(c.host)
			}
		})
	}
}

func BenchmarkMatchAddr(b *testing.B) {
	a := netip.MustParseAddr("2606:4700::1111")
	b.ReportAllocs()
	for b.Loop() {
		reserved.MatchAddr(a)
	}
}
