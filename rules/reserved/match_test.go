package reserved_test

import (
	"net/netip"
	"strings"
	"testing"

	"autodiscover-guard/rules/reserved"
)

func TestMatch(t *testing.T) {
	for name, want := range map[string]string{
		"example.com":                         "example.com",
		"Example.COM":                         "example.com",
		"example.com.":                        "example.com",
		"example.com...":                      "example.com",
		"mail.eu.example.com":                 "example.com",
		"_imaps._tcp.example.org":             "example.org",
		"-a-.example":                         "example",
		"example":                             "example",
		"test":                                "test",
		"autodiscover.test":                   "test",
		"example.com.test":                    "test",
		"local":                               "local",
		"printer.local":                       "local",
		"facebookcorewwwi.onion":              "onion",
		"router.home.arpa":                    "home.arpa",
		"5.0.0.10.in-addr.arpa":               "10.in-addr.arpa",
		"1.0.31.172.IN-ADDR.ARPA.":            "31.172.in-addr.arpa",
		"mx.corp.internal":                    "internal",
		"xn--fsqu00a.xn--0zwm56d":             "xn--0zwm56d",
		"XN--0ZWM56D":                         "xn--0zwm56d",
		"例子.测试":                               "xn--0zwm56d",
		"例子。测试":                               "xn--0zwm56d",
		"مثال.إختبار":                         "xn--kgbechtv",
		"ПРИМЕР.ИСПЫТАНИЕ":                    "xn--80akhbyknj4f",
		"παράδειγμα.δοκιμή":                   "xn--jxalpdlp",
		"בײַשפּיל.טעסט":                       "xn--deba0ad",
		"ｅｘａｍｐｌｅ．ｃｏｍ":                         "example.com",
		"ex%61mple%2ecom":                     "example.com",
		"ex%2561mple.com":                     "example.com",
		"exa\u00admple.com":                   "example.com",
		"exa\u200cmple.com":                   "example.com",
		"example\u2024com":                    "example.com",
		"\u212aiosk.example.com":              "example.com",
		"example.com:443":                     "example.com",
		"example.com.:443":                    "example.com",
		"[example.com]":                       "example.com",
		" example.com\r\n":                    "example.com",
		"a\x00b.example.com":                  "example.com",
		"a\xffb.example.com":                  "example.com",
		"a..example.com":                      "example.com",
		strings.Repeat("a.", 600) + "Test":    "test",
		strings.Repeat("例.", 600) + "example": "example",
		strings.Repeat("例.", 600) + "测试":      "xn--0zwm56d",

		"":                             "",
		".":                            "",
		"com":                          "",
		"arpa":                         "",
		"in-addr.arpa":                 "",
		"notexample.com":               "",
		"example.com.evil.net":         "",
		"myexample":                    "",
		"example.co":                   "",
		"examplexcom":                  "",
		"example..com":                 "",
		"example.com\x00":              "",
		"example.comm":                 "",
		"testing":                      "",
		"latest":                       "",
		"1.172.in-addr.arpa":           "",
		"15.172.in-addr.arpa":          "",
		"110.in-addr.arpa":             "",
		"例子":                           "",
		"nottest.例":                    "",
		"contoso.com":                  "",
		"home":                         "",
		"10.0.0.1":                     "",
		"[192.0.2.1]":                  "",
		"user@examplé.com":             "",
		strings.Repeat("a", 70):        "",
		strings.Repeat("a", 5000):      "",
		strings.Repeat("例", 600):       "",
		strings.Repeat("例", 600) + ".": "",
		strings.Repeat("例", 341) + "b.netexample.com": "",
	} {
		e, ok := reserved.Default().Match(name)
		if e.Name != want || ok != (want != "") {
			t.Errorf("Match(%.60q): got %q, %v; want %q", name, e.Name, ok, want)
		}
	}
}

func TestMatch_optionalSets(t *testing.T) {
	for name, set := range map[string]string{
		"mail.contoso.com": "vendor-documentation", "cymbalgroup.com": "vendor-documentation", "nas.lan": "informal-private",
		"mail": "informal-private", "localhost.localdomain": "informal-private", "example.net": "ietf", "a.internal": "icann",
		"home.arpa": "ietf", "x.home": "informal-private",
	} {
		if e, ok := everything().Match(name); !ok || e.Set != set {
			t.Errorf("Match(%q): got %q of set %q, want one of %q", name, e.Name, e.Set, set)
		}
	}
}

// A name that is too long for IDNA is still judged by the labels at its end, and by whole ones: the cut must not make example.com out of
// notexample.com, wherever it falls.
func TestMatch_cutInsideLabel(t *testing.T) {
	for n := 1000; n < 1030; n++ { // the cut moves from the accents into example
		long := strings.Repeat("é", 600) + "example." + strings.Repeat("a", n) + ".例"
		if e, ok := reserved.Default().Match(long); ok {
			t.Fatalf("%d: got %q", n, e.Name)
		}
	}
	for n := 495; n < 520; n++ { // from a name that is mapped whole to one that is cut
		if e, ok := reserved.Default().Match(strings.Repeat("é", n) + "example.com"); ok {
			t.Fatalf("%d: got %q", n, e.Name)
		}
	}
}

func TestMatch_doesNotAllocate(t *testing.T) {
	set := reserved.Default()
	for _, name := range []string{
		"outlook.office365.com", "Autodiscover.Corp.Contoso.COM", "mail.acme.co.uk.", "a.b.c.d.e.f.g.in-addr.arpa", "com", "",
		strings.Repeat("Label.", 200) + "net..", strings.Repeat("a", 3000), "example.com", "MAIL.Example.COM.", "xn--fsqu00a.XN--0ZWM56D",
	} {
		if n := testing.AllocsPerRun(100, func() { set.Match(name) }); n != 0 {
			t.Errorf("Match(%.40q): %v allocations", name, n)
		}
	}
}

func TestMatchSubject(t *testing.T) {
	ietfless, err := reserved.New("icann")
	if err != nil {
		t.Fatal(err)
	}
	for domain, want := range map[string]string{
		"a.example.com": "example.com", "[192.0.2.1]": "192.0.2.0/24", "192.0.2.255": "192.0.2.0/24", "[IPv6:2001:db8::1]": "2001:db8::/32",
		"[ipv6:::1]": "::1/128", "[10.1.2.3]:25": "10.0.0.0/8", "[IPv6:::ffff:192.168.1.1]": "192.168.0.0/16", "[fe80::1%25eth0]": "fe80::/10",
		"%31%32%37.0.0.1": "127.0.0.0/8", "１２７．０．０．１": "127.0.0.0/8",
		"[8.8.8.8]": "", "[IPv6:192.0.2.1]": "", "192.0.2": "", "192.0.2.256": "", "": "", "192.0.2.1.evil.net": "", "2606:4700::1": "",
	} {
		e, ok := reserved.Default().MatchSubject(domain)
		if e.Name != want || ok != (want != "") {
			t.Errorf("MatchSubject(%q): got %q, %v; want %q", domain, e.Name, ok, want)
		}
		if e, ok := ietfless.MatchSubject(domain); ok {
			t.Errorf("icann alone: MatchSubject(%q): got %q", domain, e.Name)
		}
	}
}

func TestPrivateAddr(t *testing.T) {
	for text, want := range map[string]bool{
		"127.0.0.1": true, "10.255.255.255": true, "172.15.255.255": false, "172.16.0.0": true, "172.31.255.255": true, "172.32.0.0": false,
		"192.168.0.1": true, "169.254.169.254": true, "100.64.0.1": true, "100.63.255.255": false, "100.128.0.0": false, "0.0.0.0": true,
		"::": true, "::1": true, "::2": false, "fe80::1%eth0": true, "fd00::1": true, "fec0::1": false, "::ffff:10.0.0.1": true,
		"::ffff:8.8.8.8": false, "8.8.8.8": false, "192.0.2.1": false, "2001:db8::1": false, "3fff::1": false, "2606:4700::1111": false,
	} {
		if got := reserved.PrivateAddr(netip.MustParseAddr(text)); got != want {
			t.Errorf("PrivateAddr(%s): got %v, want %v", text, got, want)
		}
	}
}

func TestMatchAddr_nature(t *testing.T) {
	for text, want := range map[string]reserved.Nature{
		"203.0.113.9": reserved.Documentation, "198.51.100.9": reserved.Documentation, "2001:db8:ffff::": reserved.Documentation,
		"3fff:fff::": reserved.Documentation, "::ffff:192.0.2.1": reserved.Documentation, "192.168.1.1": reserved.PrivateUse,
		"fdff::": reserved.PrivateUse, "9.9.9.9": 0, "3fff:1000::": 0,
	} {
		if e, ok := reserved.MatchAddr(netip.MustParseAddr(text)); e.Nature != want || ok != (want != 0) {
			t.Errorf("MatchAddr(%s): got %v of %q, want %v", text, e.Nature, e.Name, want)
		}
	}
}
