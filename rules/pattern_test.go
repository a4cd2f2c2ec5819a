package rules_test

import (
	"errors"
	"strings"
	"testing"

	"autodiscover-guard/rules"
)

func TestParsePattern_accepts(t *testing.T) {
	for _, c := range []struct {
		name, text, canonical string
		in, out               []string
	}{
		{"a name is itself alone", "mail.example.net", "mail.example.net", []string{"mail.example.net"}, []string{"x.mail.example.net", "example.net", "evilmail.example.net"}},
		{"a star is everything below, at any depth", "*.example.net", "*.example.net", []string{"a.example.net", "a.b.example.net"}, []string{"example.net", "evilexample.net", ""}},
		{"upper case and a final dot are the same name", "Mail.Example.NET.", "mail.example.net", []string{"mail.example.net"}, nil},
		{"Unicode labels are normalised", "*.müller.example", "*.xn--mller-kva.example", []string{"mail.xn--mller-kva.example"}, nil},
		{"Japanese is written in several scripts", "例え.テスト", "xn--r8jz45g.xn--zckzah", []string{"xn--r8jz45g.xn--zckzah"}, nil},
		{"a range in the spelling of IPv6", "::ffff:192.0.2.0/120", "192.0.2.0/24", []string{"192.0.2.7", "::ffff:192.0.2.7"}, []string{"192.0.3.7", "2001:db8::7"}},
		{"a range of IPv6 stays as it is", "2001:db8:1::/112", "2001:db8:1::/112", []string{"2001:db8:1::7"}, []string{"2001:db8::7"}},
		{"an address in the spelling of IPv6", "::ffff:192.0.2.7", "192.0.2.7", []string{"192.0.2.7", "::ffff:192.0.2.7"}, nil},
		{"digits and underscores are part of names", "mail_90.example.net", "mail_90.example.net", []string{"mail_90.example.net"}, nil},
		{"each label has a script of its own", "почта.example。net．lab｡test", "xn--80a1acny.example.net.lab.test", nil, nil},
		{"an address is itself", "192.0.2.7", "192.0.2.7", []string{"192.0.2.7"}, []string{"192.0.2.8", "mail.example.net"}},
		{"an address in brackets is the same", "[2001:db8::7]", "2001:db8::7", []string{"2001:db8::7"}, nil},
		{"a range holds its addresses", "10.0.0.0/8", "10.0.0.0/8", []string{"10.1.2.3"}, []string{"11.0.0.1"}},
		{"a name without a dot is an intranet's", "mailhost", "mailhost", []string{"mailhost"}, nil},
		{"reserved names have no registry", "*.test", "*.test", []string{"mail.lab.test"}, []string{"test"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := rules.ParsePattern(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if p.String() != c.canonical {
				t.Errorf("reads as %s, want %s", p, c.canonical)
			}
			for _, host := range c.in {
				if !p.Matches(host) {
					t.Errorf("does not match %s", host)
				}
			}
			for _, host := range c.out {
				if p.Matches(host) {
					t.Errorf("matches %q", host)
				}
			}
		})
	}
	if (rules.Pattern{}).Matches("") || (rules.Pattern{}).Matches("a.example") {
		t.Error("the zero pattern matches")
	}
}

// TestParsePattern_refuses: what is not accepted, and what is said about it. The message must hold both parts.
func TestParsePattern_refuses(t *testing.T) {
	for text, want := range map[string][2]string{
		"":                       {"is empty", "mail.example.net"},
		"*":                      {"every host there is", "mode: monitor"},
		"*example.com":           {"not a whole label", `"*.example.com"`},
		"*.*.example.com":        {"not the first label", `"*.example.com"`},
		"mail.*.example.com":     {"not the first label", `"*.example.com"`},
		"mail*.example.com":      {"not the first label", `"*.example.com"`},
		".example.com":           {"begins with a dot", `"*.example.com"`},
		"mail.*":                 {"not the first label", "mail.example.net"}, // nothing is suggested that would be refused, too
		"192.0.2.*":              {"not the first label", "10.0.0.0/8"},
		"*com":                   {"not a whole label", "mail.example.net"},
		`.*\.lab\.test`:          {"begins with a dot", "mail.example.net"},
		" mail.lab.test":         {"a blank around it", `"mail.lab.test"`},
		"“*.lab.test”":           {"a word processor", `"*.lab.test"`},
		"192.0.2.7:993":          {"has a port", `"192.0.2.7"`},
		"192.0.2":                {"is numbers", "10.0.0.0/8"},
		"192.000.002.007":        {"is numbers", "192.0.2.7"},
		"192.0.2.1-192.0.2.9":    {"is numbers", "10.0.0.0/8"},
		"*.0.2":                  {"is numbers", "10.0.0.0/8"},
		"https://mail.lab.test/": {"is a URL", `"mail.lab.test"`},
		"http://lab.test:8443/x": {"is a URL", `"lab.test"`},
		"http://u:p@lab.test/":   {"is a URL", `"lab.test"`},
		"mail.lab.test:993":      {"has a port", `"mail.lab.test"`},
		"mail.lab.test/eas":      {"not a host name", "mail.example.net"},
		"a.lab.test, b.lab.test": {"more than one word", "a list"},
		"com":                    {"public suffix", "mail.example.com"},
		"*.co.uk":                {"public suffix", "mail.example.co.uk"},
		"*.github.io":            {"public suffix", "mail.example.github.io"},
		"exаmple.com":            {"mixes scripts", "one script"}, // the а is Cyrillic
		"“mail.lab.test”":        {"a word processor", `"mail.lab.test"`},
		"*.mail–eu.lab.test":     {"a word processor", `"*.mail-eu.lab.test"`},
		"\u202amail.lab.test":    {"invisible marks", `"mail.lab.test"`},
		"mail\u3164.lab.test":    {"has U+3164 in it", "mail.example.net"}, // looks like a blank
		`^.*\.lab\.test$`:        {"not a host name", "mail.example.net"},
		"10.0.0.1/8":             {"bits set behind", `"10.0.0.0/8"`},
		"10.0.0.0/33":            {"not an address range", "10.0.0.0/8"},
		"0.0.0.0/0":              {"every address", "the range"},
		"::ffff:0:0/96":          {"every address", "the range"},
		"::ffff:0:0/90":          {"less than 96", "10.0.0.0/8"},
		"::ffff:192.0.2.0/24":    {"less than 96", `"192.0.2.0/24"`},
		"::ffff:192.0.2.9/24":    {"less than 96", `"192.0.2.0/24"`},
		"::ffff:0:0/0":           {"every address", "the range"},
		"a..example.net":         {"not a host name", "mail.example.net"},
		"-a.example.net":         {"not a host name", "mail.example.net"},
		"a+b.example.net":        {"not a host name", "mail.example.net"},
		"mail.example.net%20":    {"not a host name", "mail.example.net"},
		"fe80::1%eth0":           {"not a host name", "mail.example.net"},
		"user@example.net":       {"not a host name", "mail.example.net"},
	} {
		_, err := rules.ParsePattern(text)
		if _, ok := errors.AsType[*rules.PatternError](err); !ok {
			t.Errorf("%q: %v, want a PatternError", text, err)
			continue
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %q does not say %q", text, err, part)
			}
		}
	}
}

func TestParseDomain_refusesWhatIsNoMailDomain(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1":         "is an address",
		"user@example.net":  `want "example.net"`,
		"@example.net":      `want "example.net"`,
		"co.uk":             "public suffix",
		"imap.example.net:": "port",
	} {
		if _, err := rules.ParseDomain(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
}
