package certs_test

import (
	"errors"
	"strings"
	"testing"

	"autodiscover-guard/certs"
)

// refused are texts that are no host name, with what the error says about them.
var refused = map[string]string{
	"":                      `name "" is empty`,
	".":                     `name "." is empty`,
	"*":                     `name "*" is a pattern`,
	"*.example.com":         `name "*.example.com" is a pattern, and a name already covers everything below it; write "example.com"`,
	".example.com":          `name ".example.com" is a pattern, and a name already covers everything below it; write "example.com"`,
	"a*.example.com":        `name "a*.example.com" is a pattern`,
	"https://example.com/x": `name "https://example.com/x" is a URL; write "example.com"`,
	"https://*":             `name "https://*" is a URL`,
	"jane@example.com":      `name "jane@example.com" is a mail address; write "example.com"`,
	"example.com:443":       `name "example.com:443" has a port; write "example.com"`,
	"192.0.2.1":             `name "192.0.2.1" is an IP address, and the authority vouches for DNS names only`,
	"2001:db8::1":           `name "2001:db8::1" is an IP address, and the authority vouches for DNS names only`,
	"[2001:db8::1]":         `name "[2001:db8::1]" is an IP address, and the authority vouches for DNS names only`,
	"fe80::1%eth0":          `name "fe80::1%eth0" is an IP address, and the authority vouches for DNS names only`,
	"127.1":                 `name "127.1" ends in a number, which clients read as an IPv4 address`,
	"2130706433":            `name "2130706433" ends in a number, which clients read as an IPv4 address`,
	"0x7f000001":            `name "0x7f000001" ends in a number, which clients read as an IPv4 address`,
	"example.0x":            `name "example.0x" ends in a number, which clients read as an IPv4 address`,
	"bücher.example":        `name "bücher.example" is not ASCII: write its A-label form, which begins with "xn--"`,
	"\u212aiosk.example":    "name \"\u212aiosk.example\" is not ASCII: write its A-label form, which begins with \"xn--\"",
	"\u212aIOSK.example":    "name \"\u212aIOSK.example\" is not ASCII: write its A-label form, which begins with \"xn--\"",
	"a..example.com":        `name "a..example.com" has an empty label`,
	"example.com..":         `name "example.com.." has an empty label`,
	"-a.example.com":        `name "-a.example.com" has a label that begins or ends with a hyphen`,
	"a-.example.com":        `name "a-.example.com" has a label that begins or ends with a hyphen`,
	"a b.example.com":       `name "a b.example.com" has a character that no host name has`,
	"a\x00.example.com":     `name "a\x00.example.com" has a character that no host name has`,
	"a/b.example.com":       `name "a/b.example.com" has a character that no host name has`,
	long(64) + ".example":   `name "` + long(64) + `.example" has a label longer than 63 bytes`,
}

func long(n int) string { return strings.Repeat("a", n) }

// deep returns a name of n bytes with short labels.
func deep(n int) string {
	name := strings.Repeat("a.", n/2)
	return strings.TrimSuffix(name, ".") + strings.Repeat("b", n-len(strings.TrimSuffix(name, ".")))
}

func TestScope_Validate(t *testing.T) {
	t.Parallel()
	for name, want := range refused {
		err := certs.Scope{Names: []string{"example.com", name}}.Validate()
		if err == nil {
			t.Errorf("%q: taken", name)
			continue
		}
		if _, ok := errors.AsType[*certs.NameError](err); !ok {
			t.Errorf("%q: error is a %T", name, err)
		}
		if want = "scope: " + want; err.Error() != want {
			t.Errorf("got  %v\nwant %v", err, want)
		}
		if _, openErr := certs.Open(place(t), certs.Scope{Names: []string{name}}); openErr == nil {
			t.Errorf("%q: Open takes it", name)
		}
	}
	for _, s := range []certs.Scope{{}, {Names: []string{}}} {
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "scope has no names") {
			t.Errorf("empty scope: %v", err)
		}
	}
	good := certs.Scope{Names: []string{
		"example.com", "EXAMPLE.net.", "test", "xn--fsqu00a.xn--0zwm56d", "home.arpa", "my_host.example.org", "1.example",
		long(63) + ".example",
	}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

func TestScope_Validate_length(t *testing.T) {
	t.Parallel()
	if err := (certs.Scope{Names: []string{deep(253)}}).Validate(); err != nil {
		t.Errorf("253 bytes: %v", err)
	}
	err := certs.Scope{Names: []string{deep(254)}}.Validate()
	if err == nil || !strings.Contains(err.Error(), "is longer than 253 bytes") {
		t.Errorf("254 bytes: %v", err)
	}
	err = certs.Scope{Names: []string{deep(64 << 10)}}.Validate()
	if err == nil || len(err.Error()) > 400 {
		t.Errorf("64 KiB: a message of %d bytes", len(err.Error()))
	}
}

func TestScope_Contains(t *testing.T) {
	t.Parallel()
	s := certs.Scope{Names: []string{"Example.com", "test."}}
	for name, want := range map[string]bool{
		"example.com": true, "EXAMPLE.COM.": true, "a.b.example.com": true, "test": true, "lab.test": true,
		"evilexample.com": false, "example.com.evil.net": false, "com": false, "": false, ".": false, "xtest": false,
	} {
		if got := s.Contains(name); got != want {
			t.Errorf("Contains(%q) = %v", name, got)
		}
	}
	if (certs.Scope{}).Contains("") {
		t.Error("the empty scope contains something")
	}
}

func TestLeaf_refused(t *testing.T) {
	t.Parallel()
	a := open(t, place(t), "example.com", "example")
	for name := range refused {
		if _, err := a.Leaf(name); err == nil {
			t.Errorf("%q: got a leaf", name)
		} else if _, ok := errors.AsType[*certs.NameError](err); !ok {
			t.Errorf("%q: %T %v", name, err, err)
		}
	}
	for _, name := range []string{
		"evilexample.com", "example.com.evil.net", "com", "example.net", "xn--example-com", "examplecom", "example.co",
		"www.bank.example.net", "www.bank.example.net.", "EVILEXAMPLE.COM", "my-example.com",
	} {
		_, err := a.Leaf(name)
		if o, ok := errors.AsType[*certs.OutOfScopeError](err); !ok {
			t.Errorf("%q: %v", name, err)
		} else if o.Name != strings.ToLower(strings.TrimSuffix(name, ".")) ||
			err.Error() != `name "`+o.Name+`" is outside the authority's scope` {
			t.Errorf("%q: %v", name, err)
		}
	}
}
