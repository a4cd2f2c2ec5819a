package certs_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/certs"
)

func TestOpen_sameRootAgain(t *testing.T) {
	t.Parallel()
	dir := place(t)
	first := open(t, dir, "example.com", "example.net")
	again := open(t, dir, "example.com", "example.net")
	if !first.Root().Equal(again.Root()) || !first.Issuing().Equal(again.Issuing()) {
		t.Error("opened twice: another root or another issuing certificate")
	}
	if first.Fingerprint() != again.Fingerprint() {
		t.Errorf("fingerprints %s and %s", first.Fingerprint(), again.Fingerprint())
	}
	other := open(t, place(t), "example.com", "example.net")
	if other.Root().Subject.String() == first.Root().Subject.String() {
		t.Errorf("two installations have the same subject %q", other.Root().Subject)
	}
}

func TestOpen_profile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := open(t, place(t), "example.com", "test")
		root, issuing, now := a.Root(), a.Issuing(), time.Now()
		for _, c := range []*x509.Certificate{root, issuing} {
			profile(t, c)
			if got := now.Sub(c.NotBefore); got != 24*time.Hour {
				t.Errorf("%s: backdated by %v, want 24h", c.Subject, got)
			}
		}
		if got, want := root.NotAfter.Sub(now), 3650*24*time.Hour; got != want {
			t.Errorf("root lives %v, want %v", got, want)
		}
		if got, want := issuing.NotAfter.Sub(now), 90*24*time.Hour; got != want {
			t.Errorf("issuing certificate lives %v, want %v", got, want)
		}
		if root.MaxPathLen != -1 || issuing.MaxPathLen != 0 || !issuing.MaxPathLenZero {
			t.Errorf("path lengths %d and %d, want none (-1) and 0", root.MaxPathLen, issuing.MaxPathLen)
		}
		if string(issuing.AuthorityKeyId) != string(root.SubjectKeyId) {
			t.Error("issuing certificate does not point at the root's key")
		}
		if !strings.HasPrefix(root.Subject.CommonName, "autodiscover-guard root ") ||
			!strings.HasPrefix(issuing.Subject.CommonName, "autodiscover-guard issuing ") {
			t.Errorf("subjects %q and %q", root.Subject, issuing.Subject)
		}
	})
}

// profile checks what both tiers have in common.
func profile(t *testing.T, c *x509.Certificate) {
	t.Helper()
	if !c.IsCA || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
		t.Errorf("%s: CA %v, key usage %b", c.Subject, c.IsCA, c.KeyUsage)
	}
	if !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("%s: extended key usage %v", c.Subject, c.ExtKeyUsage)
	}
	if diff := cmp.Diff([]string{"example.com", "test"}, c.PermittedDNSDomains); diff != "" {
		t.Errorf("%s: permitted names (-want +got):\n%s", c.Subject, diff)
	}
	if got := fmt.Sprint(c.ExcludedIPRanges); got != "[0.0.0.0/0 ::/0]" {
		t.Errorf("%s: excluded addresses %v", c.Subject, got)
	}
	if pub, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || pub.Curve != elliptic.P256() {
		t.Errorf("%s: key is a %T", c.Subject, c.PublicKey)
	}
	if len(c.SubjectKeyId) == 0 {
		t.Errorf("%s: no subject key identifier", c.Subject)
	}
	if n := c.SerialNumber; n.Sign() <= 0 || n.BitLen() > 127 || n.BitLen() < 64 {
		t.Errorf("%s: serial number %v", c.Subject, n)
	}
	critical := map[string]bool{}
	for _, e := range c.Extensions {
		critical[e.Id.String()] = e.Critical
	}
	for id, name := range map[string]string{"2.5.29.19": "basic constraints", "2.5.29.30": "name constraints", "2.5.29.15": "key usage"} {
		if !critical[id] {
			t.Errorf("%s: %s are not critical", c.Subject, name)
		}
	}
}

func TestAuthority_accessors(t *testing.T) {
	t.Parallel()
	dir := place(t)
	a := open(t, dir, "Test.", "mail.example.com", "lab", "c.example.org", "EXAMPLE.com", "b.example.net")
	if diff := cmp.Diff(certs.Scope{Names: []string{"b.example.net", "c.example.org", "example.com", "lab", "test"}}, a.Scope()); diff != "" {
		t.Errorf("scope (-want +got):\n%s", diff)
	}
	block, rest := pem.Decode(a.RootPEM())
	if block == nil || len(rest) != 0 || string(block.Bytes) != string(a.Root().Raw) {
		t.Error("RootPEM is not the root")
	}
	if got := read(t, a.RootFile()); string(got) != string(a.RootPEM()) {
		t.Error("RootFile does not hold the root")
	}
	if !filepath.IsAbs(a.Dir()) || filepath.Base(a.Dir()) != "authority" {
		t.Errorf("Dir() = %q", a.Dir())
	}
	sum := sha256.Sum256(a.Root().Raw)
	if got := a.Fingerprint(); len(got) != 95 || got != strings.ToUpper(got) ||
		strings.ReplaceAll(got, ":", "") != fmt.Sprintf("%X", sum) {
		t.Errorf("Fingerprint() = %q, want the SHA-256 %X with colons", got, sum)
	}
	if a.RenewalErr() != nil {
		t.Errorf("RenewalErr() = %v", a.RenewalErr())
	}
}

func TestOpen_emptyDirectory(t *testing.T) {
	t.Parallel()
	dir := place(t)
	if err := os.Mkdir(dir, 0o750); err != nil { // an operator's mkdir
		t.Fatal(err)
	}
	open(t, dir, "example.com")
	checkModes(t, dir)
}

func TestOpen_deepAndLinked(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	a := open(t, filepath.Join(top, "not", "there", "yet"), "example.com")
	link := filepath.Join(top, "link")
	if err := os.Symlink(filepath.Join(top, "not", "there", "yet"), link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if b := open(t, link, "example.com"); b.Fingerprint() != a.Fingerprint() {
		t.Error("through a link: another authority")
	}
	// A link to an empty directory means that directory.
	empty := filepath.Join(top, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	toEmpty := filepath.Join(top, "to-empty")
	if err := os.Symlink(empty, toEmpty); err != nil {
		t.Fatal(err)
	}
	open(t, toEmpty, "example.com")
	checkModes(t, empty)

	dangling := filepath.Join(top, "dangling")
	if err := os.Symlink(filepath.Join(top, "nowhere"), dangling); err != nil {
		t.Fatal(err)
	}
	_, err := certs.Open(dangling, certs.Scope{Names: []string{"example.com"}})
	if d, ok := errors.AsType[*certs.DamagedError](err); !ok || d.Path != dangling {
		t.Errorf("dangling link: %v", err)
	}
}

func TestOpen_scope(t *testing.T) {
	t.Parallel()
	dir := place(t)
	wide := open(t, dir, "example.com", "example.net")

	narrow := open(t, dir, "mail.example.com")
	if narrow.Fingerprint() != wide.Fingerprint() {
		t.Error("narrower scope: another root")
	}
	if _, err := narrow.Leaf("imap.mail.example.com"); err != nil {
		t.Errorf("in the asked scope: %v", err)
	}
	_, err := narrow.Leaf("example.net")
	if o, ok := errors.AsType[*certs.OutOfScopeError](err); !ok || o.Name != "example.net" {
		t.Errorf("permitted by the certificate but not asked for: %v", err)
	}

	_, err = certs.Open(dir, certs.Scope{Names: []string{"example.org", "example.com", "test"}})
	s, ok := errors.AsType[*certs.ScopeError](err)
	if !ok {
		t.Fatalf("wider scope: %v", err)
	}
	if diff := cmp.Diff(&certs.ScopeError{Dir: dir, Missing: []string{"example.org", "test"}}, s); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := fmt.Sprintf("authority %q was made without example.org, test, and a certificate cannot grow: "+
		"widen it, and have every client trust the new root certificate", dir)
	if err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
}

func TestOpen_excludedNames(t *testing.T) {
	t.Parallel()
	dir := place(t)
	ca := template("root")
	ca.ExcludedDNSDomains = []string{"secret.example.com"}
	root := issue(t, ca, nil)
	lay(t, dir, root, issue(t, template("issuing"), root))
	a := open(t, dir, "example.com")
	_, err := a.Leaf("www.secret.example.com")
	if _, ok := errors.AsType[*certs.OutOfScopeError](err); !ok {
		t.Errorf("name that the root excludes: %v", err)
	}
	if _, err := certs.Open(dir, certs.Scope{Names: []string{"secret.example.com"}}); err == nil {
		t.Error("scope that the root excludes is taken")
	}
	// A renewed issuing certificate says the same.
	if err := a.Renew(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"secret.example.com"}, a.Issuing().ExcludedDNSDomains); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	a := open(t, place(t), "example.com")
	if _, err := a.Leaf("example.com"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := a.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, err := a.Leaf("example.com"); !errors.Is(err, certs.ErrClosed) || !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Leaf after Close: %v", err)
	}
	if err := a.Renew(); !errors.Is(err, certs.ErrClosed) {
		t.Errorf("Renew after Close: %v", err)
	}
	if err := a.Refresh(); !errors.Is(err, certs.ErrClosed) {
		t.Errorf("Refresh after Close: %v", err)
	}
	if _, err := a.Widen(certs.Scope{Names: []string{"test"}}); !errors.Is(err, certs.ErrClosed) {
		t.Errorf("Widen after Close: %v", err)
	}
}
