package certs_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"autodiscover-guard/certs"
)

const admin = "http://gateway.corp.example:8081"

// openAt opens an authority that tells where its revocation lists are.
func openAt(t *testing.T, dir, base string, names ...string) *certs.Authority {
	t.Helper()
	a, err := certs.Open(dir, certs.Scope{Names: names}, certs.RevocationAt(base))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func list(t *testing.T, der []byte, by *x509.Certificate) *x509.RevocationList {
	t.Helper()
	l, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CheckSignatureFrom(by); err != nil {
		t.Error(err)
	}
	if len(l.RevokedCertificateEntries) != 0 {
		t.Errorf("%d certificates are revoked", len(l.RevokedCertificateEntries))
	}
	return l
}

func TestRevocationList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := place(t)
		a := openAt(t, dir, admin+"/", "example.com")
		leaf, err := a.Leaf("example.com")
		if err != nil {
			t.Fatal(err)
		}
		if got := leaf.Leaf.CRLDistributionPoints; len(got) != 1 || got[0] != admin+"/authority.crl" {
			t.Errorf("leaf's list is at %q", got)
		}
		if got := a.Issuing().CRLDistributionPoints; len(got) != 1 || got[0] != admin+"/root.crl" {
			t.Errorf("issuing certificate's list is at %q", got)
		}
		if l := list(t, a.RootRevocationList(), a.Root()); l.NextUpdate.Before(a.Issuing().NotAfter) {
			t.Errorf("the root's list ends %v, before the issuing certificate", l.NextUpdate)
		}
		number := list(t, revocations(t, a), a.Issuing()).Number
		same := revocations(t, a)
		for range 200 {
			der := revocations(t, a)
			l := list(t, der, a.Issuing())
			if l.Number.Cmp(number) < 0 {
				t.Fatal("numbers go back")
			}
			if number = l.Number; time.Until(l.NextUpdate) < 6*oneDay || l.ThisUpdate.After(time.Now()) {
				t.Fatalf("%v: good from %v to %v", time.Now(), l.ThisUpdate, l.NextUpdate)
			}
			time.Sleep(11 * time.Hour)
		}
		if bytes.Equal(same, revocations(t, a)) {
			t.Error("never made anew")
		}
		// A command that knows no address leaves the issuing certificate's where it is.
		b, err := certs.OpenExisting(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if err := b.Renew(); err != nil {
			t.Fatal(err)
		}
		if got := b.Issuing().CRLDistributionPoints; len(got) != 1 || got[0] != admin+"/root.crl" {
			t.Errorf("after a renewal: %q", got)
		}
		list(t, b.RootRevocationList(), b.Root())
		// Another address: the next start renews for it, if it can.
		c := openAt(t, dir, "http://127.0.0.1:8081", "example.com")
		if got := c.Issuing().CRLDistributionPoints; len(got) != 1 || got[0] != "http://127.0.0.1:8081/root.crl" {
			t.Errorf("after a move: %q", got)
		}
		remove(t, filepath.Join(dir, "root.key"))
		d := openAt(t, dir, admin, "example.com")
		if !d.Issuing().Equal(c.Issuing()) || d.RenewalErr() != nil {
			t.Errorf("without the root's key: %v", d.RenewalErr())
		}
	})
}

func revocations(t *testing.T, a *certs.Authority) []byte {
	t.Helper()
	der, err := a.RevocationList(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestRevocationAt(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"https://gateway.corp.example", "gateway.corp.example:8081", "http://", "http://u:p@h", "http://h/?q", "http://h/#f", "ldap://h"} {
		if a, err := certs.Open(place(t), certs.Scope{Names: []string{"example.com"}}, certs.RevocationAt(bad)); err == nil {
			_ = a.Close()
			t.Errorf("%s: taken", bad)
		}
	}
	a := openAt(t, place(t), "", "example.com")
	leaf, err := a.Leaf("example.com")
	if err != nil || leaf.Leaf.CRLDistributionPoints != nil || a.Issuing().CRLDistributionPoints != nil || a.RootRevocationList() != nil {
		t.Errorf("without an address, a list is named (%v)", err)
	}
}

// OpenSSL checks the whole chain against both lists, as Schannel does.
func TestRevocationList_openssl(t *testing.T) {
	t.Parallel()
	openssl(t)
	a := openAt(t, place(t), admin, "example.com")
	leaf, err := a.Leaf("example.com")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, l := range []struct {
		name string
		der  []byte
	}{{"root.crl", a.RootRevocationList()}, {"authority.crl", revocations(t, a)}} {
		write(t, filepath.Join(dir, l.name+".der"), l.der)
		cmd := exec.CommandContext(t.Context(), "openssl", "crl", "-inform", "DER", "-in", l.name+".der", "-out", l.name)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	both := []string{"-crl_check_all", "-CRLfile", filepath.Join(dir, "root.crl"), "-CRLfile", filepath.Join(dir, "authority.crl")}
	if out, ok := opensslVerify(t, a, leaf.Certificate[0], both...); !ok {
		t.Errorf("refused:\n%s", out)
	}
	if out, ok := opensslVerify(t, a, leaf.Certificate[0], both[:3]...); ok || !strings.Contains(out, "unable to get certificate CRL") {
		t.Errorf("with one list only: %v\n%s", ok, out)
	}
}

// A client that insists on lists and trusts one of the former roots alone finds one for every certificate on its way, here and at a replica; what vouches for a root
// names the same place ever after.
func TestRevocationList_formerRoots(t *testing.T) {
	t.Parallel()
	openssl(t)
	dir := place(t)
	a := openAt(t, dir, admin, "example.com")
	var former []*x509.Certificate
	places := map[string]string{}
	for _, name := range []string{"lab.test", "corp.test"} {
		former = append(former, a.Root())
		if _, err := a.Widen(certs.Scope{Names: []string{name}}); err != nil {
			t.Fatal(err)
		}
		leaf, err := a.Leaf("example.com")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range parsed(t, leaf.Certificate[2:]) {
			if was := places[string(c.RawIssuer)]; len(c.CRLDistributionPoints) != 1 || was != "" && was != c.CRLDistributionPoints[0] {
				t.Fatalf("%s is listed at %q, formerly at %q", c.Subject, c.CRLDistributionPoints, was)
			}
			places[string(c.RawIssuer)] = c.CRLDistributionPoints[0]
		}
	}
	text, err := a.Replica()
	if err != nil {
		t.Fatal(err)
	}
	second := place(t)
	if err := certs.Import(second, material(t, text)); err != nil {
		t.Fatal(err)
	}
	for _, served := range []*certs.Authority{a, openAt(t, dir, admin, "example.com"), openAt(t, second, admin, "example.com")} {
		leaf, err := served.Leaf("example.com")
		if err != nil {
			t.Fatal(err)
		}
		files := t.TempDir()
		var chain bytes.Buffer
		var lists []string
		for i, c := range parsed(t, leaf.Certificate) {
			chain.Write(certPEM(c))
			path := strings.TrimPrefix(c.CRLDistributionPoints[0], admin)
			der := map[string][]byte{certs.IssuingCRLPath: revocations(t, served), certs.RootCRLPath: served.RootRevocationList()}[path]
			if der == nil {
				der = served.FormerRevocationList(path)
			}
			list := filepath.Join(files, fmt.Sprint(i, ".crl"))
			write(t, list, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
			lists = append(lists, "-CRLfile", list)
		}
		write(t, filepath.Join(files, "chain.pem"), chain.Bytes())
		for i, root := range append(former, served.Root()) {
			args := append([]string{"openssl", "verify", "-no-CApath", "-no-CAstore", "-crl_check_all", "-CAfile", trustFile(t, []*x509.Certificate{root}), "-untrusted", filepath.Join(files, "chain.pem")}, lists...)
			if v := run(t, append(args, filepath.Join(files, "chain.pem"))...); !v.accepted {
				t.Errorf("with root %d alone: %s", i, v.why)
			}
		}
	}
	if a.FormerRevocationList("/former/") != nil || a.FormerRevocationList(certs.RootCRLPath) != nil {
		t.Error("there is a list that no certificate names")
	}
	remove(t, filepath.Join(dir, "former.pem"))
	if err := a.Renew(); err != nil {
		t.Fatal(err)
	}
	for _, place := range places {
		if a.FormerRevocationList(strings.TrimPrefix(place, admin)) != nil {
			t.Errorf("%s is still there", place)
		}
	}
}

func parsed(t *testing.T, chain [][]byte) []*x509.Certificate {
	t.Helper()
	var all []*x509.Certificate
	for _, der := range chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}
