package certs_test

import (
	"crypto/x509"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"autodiscover-guard/certs"
)

// FuzzLeaf asks for any text. What comes back is good for one name that is in scope and for nothing else, or an error.
func FuzzLeaf(f *testing.F) {
	for name := range refused {
		f.Add(name)
	}
	for _, name := range []string{"example.com", "AUTODISCOVER.Example.COM.", "evilexample.com", "lab.test", "_x.test", "xn--e1afmkfd.test"} {
		f.Add(name)
	}
	a := open(f, place(f), "example.com", "test")
	f.Fuzz(func(t *testing.T, name string) {
		leaf, err := a.Leaf(name)
		if err != nil {
			if leaf != nil {
				t.Fatal("a leaf and an error")
			}
			return
		}
		// An independent, dumb reading of what may be signed.
		got := leaf.Leaf.DNSNames[0]
		if !strings.EqualFold(got, strings.TrimSuffix(name, ".")) || len(leaf.Leaf.DNSNames) != 1 {
			t.Fatalf("asked for %q, got %q", name, leaf.Leaf.DNSNames)
		}
		if !strings.HasSuffix("."+got, ".example.com") && !strings.HasSuffix("."+got, ".test") {
			t.Fatalf("%q is out of scope", got)
		}
		if _, err := netip.ParseAddr(got); err == nil || strings.ContainsAny(got, "*/:@ \x00") {
			t.Fatalf("%q is not a host name", got)
		}
		if err := verify(a.Root(), leaf.Certificate, got); err != nil {
			t.Fatalf("%q: %v", got, err)
		}
	})
}

// FuzzOpen_files puts any bytes into the three files. Nothing panics, nothing is replaced, and whatever opens is bounded.
func FuzzOpen_files(f *testing.F) {
	dir := place(f)
	open(f, dir, "example.com")
	model := map[string][]byte{}
	for _, name := range []string{"root.pem", "root.key", "issuing.pem"} {
		model[name] = read(f, filepath.Join(dir, name))
		f.Add(name, model[name])
		f.Add(name, model[name][:len(model[name])/2])
	}
	f.Add("root.pem", read(f, filepath.Join("testdata", "goproxy-ca.pem")))
	f.Add("issuing.pem", append(append([]byte{}, model["root.key"]...), model["root.pem"]...))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		if _, ok := model[name]; !ok {
			return
		}
		dir := place(t)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for file, good := range model {
			write(t, filepath.Join(dir, file), good)
		}
		write(t, filepath.Join(dir, name), text)
		a, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
		if got := read(t, filepath.Join(dir, name)); string(got) != string(text) {
			t.Fatalf("%s was replaced", name)
		}
		if err != nil {
			return
		}
		defer a.Close()
		for _, c := range []*x509.Certificate{a.Root(), a.Issuing()} {
			if !c.PermittedDNSDomainsCritical || len(c.PermittedDNSDomains) == 0 || len(c.ExcludedIPRanges) < 2 {
				t.Fatalf("opened with a certificate without bounds: %s", c.Subject)
			}
		}
		mint(t, a)
	})
}
