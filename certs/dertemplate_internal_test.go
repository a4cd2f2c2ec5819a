package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// withTemplate returns an authority that has made its first leaf.
func withTemplate(tb testing.TB, options ...Option) *Authority {
	tb.Helper()
	a, err := Open(filepath.Join(tb.TempDir(), "authority"), Scope{Names: []string{"example.com", "test"}}, options...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = a.Close() })
	if _, err := a.Leaf("first.example.com"); err != nil {
		tb.Fatal(err)
	}
	if a.template.Load() == nil {
		tb.Fatal("the first leaf left no template")
	}
	return a
}

// FuzzDERTemplate_sign holds leaves that are made with a template against those that the standard library makes of the same template: but for the signature, which
// is random, they are the same to the byte. The name is any ASCII text: which of them may be asked for is for Leaf to say.
func FuzzDERTemplate_sign(f *testing.F) {
	day := int64(24 * 60 * 60)
	for _, name := range []string{"example.com", "t", "my_host.test", "xn--e1afmkfd.test", strings.Repeat("a", 64), "a b'()+,-./:=?", "*&@.test"} {
		f.Add(name, []byte{1}, time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC).Unix(), 14*day)
	}
	f.Add("example.com", []byte{0x7f, 0xff}, time.Date(2049, 12, 31, 23, 0, 0, 0, time.UTC).Unix(), 14*day) // two digits, then four
	f.Add("example.com", []byte{0x80}, time.Date(1949, 12, 31, 23, 0, 0, 0, time.UTC).Unix(), 14*day)
	f.Add("example.com", bytes.Repeat([]byte{0xff}, 20), time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), int64(0))
	plain, listed := withTemplate(f), withTemplate(f, RevocationAt("http://admin.test"))
	f.Fuzz(func(t *testing.T, name string, serial []byte, from, life int64) {
		if strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 }) {
			t.Skip("no name of a host")
		}
		for _, a := range []*Authority{plain, listed} {
			by := a.tiers.Load()
			template := a.leafTemplate(name, by)
			template.SerialNumber = new(big.Int).SetBytes(serial)
			template.NotBefore, template.NotAfter = time.Unix(from, 0), time.Unix(from+life, 0)
			common := a.template.Load()
			if !common.fits(by, template) {
				t.Skip("no common name")
			}
			want, wantErr := sign(template, &by.issuer, a.leafKey.Public())
			got, gotErr := common.sign(template)
			if wantErr != nil {
				if gotErr == nil {
					t.Fatalf("the standard library refuses it: %v", wantErr)
				}
				continue
			}
			if gotErr != nil {
				t.Fatal(gotErr)
			}
			if !bytes.Equal(got.RawTBSCertificate, want.RawTBSCertificate) {
				t.Fatalf("got  %x\nwant %x", got.RawTBSCertificate, want.RawTBSCertificate)
			}
			if err := got.CheckSignatureFrom(by.cert); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Another issuing certificate has another template: its leaves name it.
func TestDERTemplate_renewed(t *testing.T) {
	t.Parallel()
	a := withTemplate(t)
	before := a.template.Load()
	if err := a.Renew(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"example.com", "second.example.com"} {
		leaf, err := a.Leaf(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := leaf.Leaf.CheckSignatureFrom(a.Issuing()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := a.template.Load(); after == before || after.by != a.tiers.Load() {
		t.Error("the template is still that of the former issuing certificate")
	}
}

// What cannot be made with a template is made by the standard library, and leaves none.
func TestDERTemplate_none(t *testing.T) {
	t.Parallel()
	a := withTemplate(t)
	want := a.template.Load()
	leaf, err := a.Leaf(strings.Repeat("a.", 30) + "example.com")
	if err != nil || leaf.Leaf.Subject.CommonName != "" {
		t.Fatalf("long name: %v, %v", leaf, err)
	}
	if a.template.Load() != want {
		t.Error("a name that does not fit into the subject left a template")
	}
	by := a.tiers.Load()
	for name, key := range map[string]func() (*issuer, error){
		"P-384": func() (*issuer, error) {
			key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
			return &issuer{cert: by.cert, key: key}, err
		},
		"RSA": func() (*issuer, error) {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			return &issuer{cert: by.cert, key: key}, err
		},
	} {
		i, err := key()
		if err != nil {
			t.Fatal(err)
		}
		parent := *by.cert
		parent.PublicKey = i.key.Public()
		template := a.leafTemplate("example.com", by)
		template.SerialNumber = big.NewInt(1)
		cert, err := sign(template, &issuer{cert: &parent, key: i.key}, a.leafKey.Public())
		if err != nil {
			t.Fatal(err)
		}
		if newDERTemplate(by, cert) != nil {
			t.Errorf("%s: a template for signatures that it does not make", name)
		}
	}
	nameless := a.leafTemplate("example.com", by)
	nameless.SerialNumber, nameless.DNSNames = big.NewInt(1), nil
	cert, err := sign(nameless, &by.issuer, a.leafKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	if newDERTemplate(by, cert) != nil {
		t.Error("a template without a place for the name")
	}
	if newDERTemplate(by, &x509.Certificate{SignatureAlgorithm: x509.ECDSAWithSHA256, Subject: subject("example.com"), RawTBSCertificate: []byte{0x30, 1}}) != nil {
		t.Error("a template of what is no certificate")
	}
}
