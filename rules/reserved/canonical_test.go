package reserved_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"autodiscover-guard/rules/reserved"
)

func TestCanonical(t *testing.T) {
	for name, want := range map[string]string{
		"":                             "",
		"...":                          "",
		"example.com":                  "example.com",
		"Example.COM.":                 "example.com",
		"Example。COM":                  "example.com",
		"ｅｘａｍｐｌｅ．ｃｏｍ":                  "example.com",
		"bücher.example":               "xn--bcher-kva.example",
		"BÜCHER.example":               "xn--bcher-kva.example",
		"bu\u0308cher.example":         "xn--bcher-kva.example",
		"XN--BCHER-KVA.example":        "xn--bcher-kva.example",
		"straße.example":               "xn--strae-oqa.example",
		"_x.example.com":               "_x.example.com",
		"_é.example.com":               "xn--_-bga.example.com",
		"-é-.Example":                  "xn-----bja.example",
		"a b":                          "a b",
		"\x00.COM":                     "\x00.com",
		"ex%61mple.com":                "example.com",
		"ex%2561mple.com":              "example.com",
		"ex%252561mple.com":            "example.com",
		"ex%25%36%31mple.com":          "example.com",
		"％E6％B5％8B试":                   "xn--0zwm56d",
		"%\u00ad61":                    "a",
		"%𝟞1":                          "a",
		"ex％61mple.com":                "example.com",
		"%EF%BC%8561":                  "a",
		"100%":                         "100%",
		"%zz%4":                        "%zz%4",
		"%4g%g4":                       "%4g%g4",
		"%E4%BE%8B":                    "xn--fsq",
		"испытани﹪d0％ｂ5":               "xn--80akhbyknj4f",
		" example.com ":                "example.com",
		"example.com:443":              "example.com",
		"example.com:9080":             "example.com",
		"example.com：443":              "example.com",
		"example.com:":                 "example.com",
		"example.com:http":             "example.com:http",
		"example.com.:443":             "example.com",
		"example.com%3A443":            "example.com",
		"[192.0.2.1]":                  "192.0.2.1",
		"[192.0.2.1]:25":               "192.0.2.1",
		"192.0.2.1.":                   "192.0.2.1",
		"192.0.2.01":                   "192.0.2.01",
		"[2001:DB8:0:0::1]":            "2001:db8::1",
		"[2001:db8::1]:443":            "2001:db8::1",
		"2001:db8::1":                  "2001:db8::1",
		"[IPv6:2001:db8::1]":           "2001:db8::1",
		"[fe80::1%25eth0]:80":          "fe80::1",
		"fe80::1%ab":                   "fe80::1",
		"::ffff:192.0.2.1":             "192.0.2.1",
		"[::FFFF:c000:201]":            "192.0.2.1",
		"10.0.0.1%2eexample.com":       "10.0.0.1.example.com",
		"xn--a.Example":                "xn--a.example",
		"xn--example-.例":               "xn--example-.xn--fsq",
		"例." + "xn--EXAMPLE-":          "xn--fsq.xn--example-",
		"\u00ad.com":                   ".com",
		"example.com.\u00ad":           "example.com",
		"example.com\u00a0":            "example.com",
		"user@Example.com":             "user@example.com",
		strings.Repeat("A", 2000):      strings.Repeat("a", 2000),
		strings.Repeat("É", 600) + ".": strings.Repeat("É", 600),
	} {
		if got := reserved.Canonical(name); got != want {
			t.Errorf("Canonical(%.60q): got %.60q, want %.60q", name, got, want)
		}
	}
}

func TestCanonical_doesNotAllocate(t *testing.T) {
	for _, name := range []string{"", "example.com", "_imaps._tcp.mail.eu.xn--bcher-kva.example", "192.0.2.1", "2001:db8::1"} {
		if n := testing.AllocsPerRun(100, func() { reserved.Canonical(name) }); n != 0 {
			t.Errorf("Canonical(%q): %v allocations", name, n)
		}
	}
}

// Nesting within nesting must end at a fixed point, whatever the mixture.
func TestCanonical_nested(t *testing.T) {
	for _, layer := range []string{"%25", "％", "％２５", "%EF%BC%85", "﹪", "%%32%35"} {
		name := "%61"
		for range 60 {
			name = strings.Replace(name, "%", layer, 1)
			if len(name) > 1024 {
				break
			}
			if got := reserved.Canonical(name); got != "a" {
				t.Errorf("Canonical(%.80q): got %.40q, want a", name, got)
			}
		}
	}
	deep := "%61"
	for next := deep; len(next) <= 1024; next = strings.ReplaceAll(next, "%", "%EF%BC%85") {
		deep = next
	}
	if got := reserved.Canonical(deep); got != "a" {
		t.Errorf("Canonical(%.80q): got %q, want a", deep, got)
	}
}

func TestProperty_spellings(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, e := range everything().Entries() {
		for range 60 {
			name := e.Name
			if r.IntN(2) == 0 {
				name = randomLabels(r) + name
			}
			spelt := spell(r, name)
			if got := reserved.Canonical(spelt); got != name {
				t.Fatalf("Canonical(%q): got %q, want %q", spelt, got, name)
			}
			if got, ok := everything().Match(spelt); !ok || got != e {
				t.Fatalf("Match(%q): got %q, want %q", spelt, got.Name, e.Name)
			}
		}
	}
}

func TestProperty_wholeLabels(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, e := range everything().Entries() {
		for _, name := range []string{"x" + e.Name, e.Name + "x", e.Name + ".evil.net", e.Name + "-x.net", "-" + e.Name, e.Name + ".x"} {
			if reference(everything(), name) != "" {
				continue // 110.in-addr.arpa is not reserved, but 6tisch.arpax neither; only a real neighbour may match
			}
			for range 10 {
				if got, ok := everything().Match(spell(r, name)); ok {
					t.Errorf("Match(%q): got %q", name, got.Name)
				}
			}
		}
	}
}

// reference is the definition of a match, written down as simply as possible: the longest entry that is the name or its end.
func reference(set *reserved.Set, canonical string) string {
	best := ""
	for _, entry := range set.Names() {
		if (canonical == entry || strings.HasSuffix(canonical, "."+entry)) && len(entry) > len(best) {
			best = entry
		}
	}
	return best
}

func TestBelow(t *testing.T) {
	for host, want := range map[string]bool{
		"lab.test": true, "mail.lab.test": true, "a.mail.lab.test": true, ".lab.test": true, "xlab.test": false, "test": false, "lab.test.net": false, "": false,
	} {
		if got := reserved.Below(host, "lab.test"); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}
