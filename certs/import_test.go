package certs_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/certs"
)

func TestImport(t *testing.T) {
	t.Parallel()
	dir := place(t)
	c := newCompany(t, untouched)
	if err := certs.Import(dir, c.material()); err != nil {
		t.Fatal(err)
	}
	a := open(t, dir, "example.com")
	if !accepts(t, a, "autodiscover.example.com", c.root.cert) {
		t.Error("clients of the company refuse it")
	}
	leaf, err := a.Leaf("autodiscover.example.com")
	if err != nil || len(leaf.Certificate) != 3 {
		t.Errorf("%d certificates are sent (%v), want leaf, issuing and policy", len(leaf.Certificate), err)
	}
	s := a.Status(time.Now())
	if s.Own || s.Unconstrained || s.RootKey != certs.KeyAbsent || !slices.Equal(s.Names, []string{"example.com"}) || len(s.Chain) != 2 {
		t.Errorf("status %+v", s)
	}
	if err := a.Renew(); err == nil || !strings.Contains(err.Error(), "another CA's") {
		t.Errorf("Renew: %v", err)
	}
	_, err = certs.Open(dir, certs.Scope{Names: []string{"lab.test"}})
	if e, ok := errors.AsType[*certs.ScopeError](err); !ok || !e.Foreign || !strings.Contains(err.Error(), "have its CA issue one") {
		t.Errorf("more than it may: %v", err)
	}
	// The next one of the same CA takes its place, also in the process that runs.
	next := company{c.root, c.policy, issue(t, template("Corp Discovery CA"), c.policy)}
	if err := certs.Import(dir, next.material()); err != nil {
		t.Fatal(err)
	}
	if err := a.Refresh(); err != nil || !a.Issuing().Equal(next.issuing.cert) {
		t.Errorf("not taken over: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "former.pem")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a root that stays is a former one: %v", err)
	}
	// Where several certificates have the key, and the key comes several times, the latest is meant.
	both, younger := next.material(), template("Corp Discovery CA")
	younger.NotBefore = younger.NotBefore.Add(time.Minute)
	der, err := x509.CreateCertificate(rand.Reader, younger, c.policy.cert, next.issuing.key.Public(), c.policy.key)
	if err != nil {
		t.Fatal(err)
	}
	latest, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	both.Keys, both.Certificates = append(both.Keys, both.Keys...), append([]*x509.Certificate{latest}, both.Certificates...)
	if err := certs.Import(dir, both); err != nil {
		t.Fatal(err)
	}
	if err := a.Refresh(); err != nil || !a.Issuing().Equal(latest) {
		t.Errorf("the latest was not taken over: %v", err)
	}
	// An earlier one that is put back is taken over as well: the next start would use it.
	if err := certs.Import(dir, next.material()); err != nil {
		t.Fatal(err)
	}
	if err := a.Refresh(); err != nil || !a.Issuing().Equal(next.issuing.cert) {
		t.Errorf("the earlier one was not taken over: %v", err)
	}
	// Another CA's does not.
	before := snapshot(t, dir)
	if err := certs.Import(dir, newCompany(t, untouched).material()); err == nil || !strings.Contains(err.Error(), "below another root, SHA-256") {
		t.Errorf("another CA: %v", err)
	}
	if snapshot(t, dir) != before {
		t.Error("a refused import changed files")
	}
}

// Each way to be wrong has its name, and nothing is written.
func TestImport_refused(t *testing.T) {
	t.Parallel()
	unknown := pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55555, 1}, Critical: true, Value: []byte{5, 0}}
	tests := map[string]struct {
		spoil func(root, policy, issuing *x509.Certificate)
		more  func(t *testing.T, c company, m *certs.Material)
		want  []string
	}{
		"no key": {more: func(_ *testing.T, _ company, m *certs.Material) { m.Keys = nil }, want: []string{"key: there is no private key"}},
		"two keys": {
			more: func(_ *testing.T, c company, m *certs.Material) { m.Keys = append(m.Keys, c.root.key) },
			want: []string{"key: there are 2 private keys"},
		},
		"another's key": {
			more: func(t *testing.T, _ company, m *certs.Material) {
				m.Keys = []crypto.Signer{issue(t, template("x"), nil).key}
			},
			want: []string{"key match: none of the 3 certificates"},
		},
		"the root itself": {
			more: func(_ *testing.T, c company, m *certs.Material) { m.Keys = []crypto.Signer{c.root.key} },
			want: []string{`chain: certificate "CN=Corp Root CA" is a root`},
		},
		"no root": {
			more: func(_ *testing.T, _ company, m *certs.Material) { m.Certificates = m.Certificates[1:] },
			want: []string{`chain: certificate "CN=Corp Policy CA" was issued by "CN=Corp Root CA", whose certificate is missing`},
		},
		"nothing between": {
			more: func(_ *testing.T, _ company, m *certs.Material) { m.Certificates = m.Certificates[:2] },
			want: []string{`was issued by "CN=Corp Policy CA", whose certificate is missing`},
		},
		"another of that name": {more: func(t *testing.T, c company, m *certs.Material) {
			m.Certificates = []*x509.Certificate{c.root.cert, c.issuing.cert, issue(t, template("Corp Policy CA"), c.root).cert}
		}, want: []string{`signature: certificate "CN=Corp Discovery CA" was not signed by "CN=Corp Policy CA"`}},
		"a ring": {more: func(t *testing.T, c company, m *certs.Material) {
			first := issue(t, template("Corp Root CA"), c.policy) // the root as one that its own policy CA has issued
			m.Certificates[0] = first.cert
			der, err := x509.CreateCertificate(rand.Reader, template("Corp Policy CA"), first.cert, c.policy.key.Public(), first.key)
			if err != nil {
				t.Fatal(err)
			}
			if m.Certificates[2], err = x509.ParseCertificate(der); err != nil {
				t.Fatal(err)
			}
		}, want: []string{"chain: ", "has more than 8 issuers above each other"}},
		"for something unknown": {
			spoil: func(_, p, _ *x509.Certificate) { p.UnknownExtKeyUsage = []asn1.ObjectIdentifier{unknown.Id} },
			want:  []string{`extended key usage: certificate "CN=Corp Policy CA" is not for TLS servers`},
		},
		"no CA": {
			spoil: func(_, _, i *x509.Certificate) {
				i.IsCA, i.KeyUsage, i.PermittedDNSDomains, i.ExcludedIPRanges = false, x509.KeyUsageDigitalSignature, nil, nil
			},
			want: []string{`CA: certificate "CN=Corp Discovery CA" is not fit to sign: it is not a CA certificate`},
		},
		"may not sign": {
			spoil: func(_, _, i *x509.Certificate) { i.KeyUsage = x509.KeyUsageCRLSign },
			want:  []string{"its key usage does not include signing certificates"},
		},
		"path length": {
			spoil: func(r, p, _ *x509.Certificate) { r.MaxPathLen, p.MaxPathLenZero = 1, true },
			want:  []string{`path length: certificate "CN=Corp Policy CA" allows 0 CA certificates below it, and there are 1`},
		},
		"expired, and the policy CA to come": {spoil: func(_, p, i *x509.Certificate) {
			i.NotBefore, i.NotAfter = i.NotBefore.AddDate(-1, 0, 0), i.NotBefore
			p.NotBefore = time.Now().Add(time.Hour)
		}, want: []string{`validity: certificate "CN=Corp Discovery CA" is valid from`, `validity: certificate "CN=Corp Policy CA" is valid from`}},
		"for mail": {
			spoil: func(_, _, i *x509.Certificate) { i.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} },
			want:  []string{`extended key usage: certificate "CN=Corp Discovery CA" is not for TLS servers`},
		},
		"the policy CA for mail": {
			spoil: func(_, p, _ *x509.Certificate) { p.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} },
			want:  []string{`extended key usage: certificate "CN=Corp Policy CA" is not for TLS servers`},
		},
		"key identifiers": {
			more: func(t *testing.T, c company, m *certs.Material) {
				another := *c.policy.cert
				another.SubjectKeyId = []byte{3, 4}
				i := issue(t, template("Corp Discovery CA"), &pair{&another, c.policy.key})
				m.Keys, m.Certificates[1] = []crypto.Signer{i.key}, i.cert
			},
			want: []string{`key identifiers: certificate "CN=Corp Discovery CA" names the issuer's key 0304, and "CN=Corp Policy CA" has `},
		},
		"critical extension": {
			spoil: func(_, _, i *x509.Certificate) { i.ExtraExtensions = []pkix.Extension{unknown} },
			want:  []string{`critical extensions: certificate "CN=Corp Discovery CA" has some that clients will not understand: 1.3.6.1.4.1.55555.1`},
		},
		"unconstrained": {
			spoil: func(_, _, i *x509.Certificate) {
				i.PermittedDNSDomains, i.ExcludedIPRanges, i.ExtKeyUsage = nil, nil, nil
			},
			want: []string{"constraints: ", "its extended key usage is not TLS servers alone", "it has no name constraints, so that its key could vouch for any site"},
		},
		"bound by the root alone, at which some verifiers do not look": {
			spoil: func(r, _, i *x509.Certificate) {
				r.PermittedDNSDomains, r.ExcludedIPRanges, r.ExtKeyUsage = i.PermittedDNSDomains, i.ExcludedIPRanges, i.ExtKeyUsage
				i.PermittedDNSDomains, i.ExcludedIPRanges, i.ExtKeyUsage = nil, nil, nil
			},
			want: []string{"constraints: ", "it has no name constraints"},
		},
		"addresses": {spoil: func(_, _, i *x509.Certificate) { i.ExcludedIPRanges = nil }, want: []string{"do not exclude all IP addresses"}},
		"not critical": {
			spoil: func(_, _, i *x509.Certificate) { i.PermittedDNSDomainsCritical = false },
			want:  []string{"its name constraints are not critical"},
		},
		"names that exclude each other": {
			spoil: func(_, p, _ *x509.Certificate) { p.PermittedDNSDomains = []string{"corp.example.net"} },
			want:  []string{"and those above it permit no name together"},
		},
		"several things": {
			spoil: func(_, p, i *x509.Certificate) { p.MaxPathLenZero, i.ExcludedIPRanges, i.ExtKeyUsage = true, nil, nil },
			want:  []string{"path length: ", "do not exclude all IP addresses", "extended key usage is not TLS servers alone"},
		},
		"another's revocation list": {more: func(t *testing.T, _ company, m *certs.Material) {
			other := openAt(t, place(t), admin, "example.com")
			m.Lists = []*x509.RevocationList{list(t, other.RootRevocationList(), other.Root())}
		}, want: []string{`revocation list: certificate "CN=Corp Root CA" has not signed it`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.spoil == nil {
				tt.spoil = untouched
			}
			c := newCompany(t, tt.spoil)
			m := c.material()
			if tt.more != nil {
				tt.more(t, c, &m)
			}
			dir := place(t)
			err := certs.Import(dir, m)
			if _, ok := errors.AsType[*certs.ImportError](err); !ok {
				t.Fatalf("got %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			}
			if got := strings.Count(err.Error(), "\n") + 1; len(tt.want) > 1 && name == "several things" && got != len(tt.want) {
				t.Errorf("%d findings, want %d:\n%v", got, len(tt.want), err)
			}
			if entries, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 0 {
				t.Errorf("a refused import left %v (%v)", entries, err)
			}
		})
	}
}

// What companies have that is no fault.
func TestImport_accepted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spoil func(root, policy, issuing *x509.Certificate)
		name  string // that it may sign for
	}{
		"a policy CA for anything": {
			spoil: func(_, p, _ *x509.Certificate) { p.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }, name: "example.com",
		},
		"a root with limits": {
			spoil: func(r, _, _ *x509.Certificate) {
				free := template("Corp Root CA")
				r.PermittedDNSDomains, r.ExcludedIPRanges, r.ExtKeyUsage = free.PermittedDNSDomains, free.ExcludedIPRanges, free.ExtKeyUsage
			}, name: "example.com",
		},
		"bound by the policy CA": {
			spoil: func(_, p, i *x509.Certificate) {
				p.PermittedDNSDomains, p.ExcludedIPRanges, p.ExtKeyUsage = i.PermittedDNSDomains, i.ExcludedIPRanges, i.ExtKeyUsage
				i.PermittedDNSDomains, i.ExcludedIPRanges, i.ExtKeyUsage = nil, nil, nil
			}, name: "example.com",
		},
		"what lies below a name, in capitals": {
			spoil: func(_, _, i *x509.Certificate) { i.PermittedDNSDomains = []string{".Example.com"} }, name: "mail.example.com",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, dir := newCompany(t, tt.spoil), place(t)
			if err := certs.Import(dir, c.material()); err != nil {
				t.Fatal(err)
			}
			a := open(t, dir, tt.name)
			if !accepts(t, a, tt.name, c.root.cert) || a.Status(time.Now()).Own {
				t.Errorf("accepted: %v, own: %v", accepts(t, a, tt.name, c.root.cert), a.Status(time.Now()).Own)
			}
			_, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
			if _, narrow := errors.AsType[*certs.ScopeError](err); narrow == (tt.name == "example.com") {
				t.Errorf("for example.com itself: %v", err)
			}
		})
	}
}

func TestImport_weakKeys(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("no small keys here:", err)
	}
	_, modern, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	enough, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for want, key := range map[string]crypto.Signer{"has an RSA key of 1024 bits": small, "has an Ed25519 key": modern, "": enough} {
		c := newCompany(t, untouched)
		der, err := x509.CreateCertificate(rand.Reader, template("Corp Discovery CA"), c.policy.cert, key.Public(), c.policy.key)
		if err != nil {
			t.Fatal(err)
		}
		if c.issuing.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		c.issuing.key = key
		if err := certs.Import(place(t), c.material()); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// An intermediate without limits only by an operator's word, which is written down for that very certificate.
func TestImport_unconstrained(t *testing.T) {
	t.Parallel()
	dir := place(t)
	free := func(_, _, i *x509.Certificate) {
		i.PermittedDNSDomains, i.ExcludedIPRanges, i.ExtKeyUsage = nil, nil, nil
	}
	c := newCompany(t, free)
	m := c.material()
	m.Unconstrained = true
	if err := certs.Import(dir, m); err != nil {
		t.Fatal(err)
	}
	a := open(t, dir, "example.com", "lab.test")
	if !accepts(t, a, "mail.lab.test", c.root.cert) {
		t.Error("clients of the company refuse it")
	}
	if _, err := a.Leaf("www.bank.example.net"); err == nil {
		t.Error("signed for what is no part of the scope")
	}
	if s := a.Status(time.Now()); !s.Unconstrained || s.Names != nil {
		t.Errorf("status %+v", s)
	}
	b, err := certs.OpenExisting(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Leaf("example.com"); err == nil {
		t.Error("an authority that was opened to be shown signs")
	}
	// The consent does not go along to another machine, and is no use for another certificate.
	replica, err := a.Replica()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(replica), "UNCONSTRAINED") {
		t.Error("a replica brings a consent along")
	}
	if err := certs.Import(place(t), material(t, replica)); err == nil || !strings.Contains(err.Error(), "constraints: ") {
		t.Errorf("on another machine: %v", err)
	}
	other := issue(t, func() *x509.Certificate { i := template("other"); free(nil, nil, i); return i }(), c.policy)
	text := read(t, filepath.Join(dir, "issuing.pem"))
	consent := text[strings.LastIndex(string(text), "-----BEGIN"):]
	write(t, filepath.Join(dir, "issuing.pem"), slices.Concat(keyPEM(t, other.key), certPEM(other.cert), certPEM(c.policy.cert), consent))
	damaged(t, dir, "issuing.pem", "has no name constraints", "")
}
