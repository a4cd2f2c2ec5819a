package certs_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"autodiscover-guard/certs"
)

// accepts reports whether a client that trusts these roots, and nothing else, takes what the authority serves for name.
func accepts(t *testing.T, a *certs.Authority, name string, trusted ...*x509.Certificate) bool {
	t.Helper()
	leaf, err := a.Leaf(name)
	if err != nil {
		t.Fatal(err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range trusted {
		roots.AddCert(c)
	}
	for _, der := range leaf.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		between.AddCert(c)
	}
	_, err = leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: name, CurrentTime: time.Now()})
	return err == nil
}

// A policy that needs more names: a new root for those, and nobody is cut off from the others meanwhile.
func TestWiden(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := place(t)
		running := open(t, dir, "example.com")
		before := running.Root()
		want := certs.Scope{Names: []string{"example.com", "lab.test"}}
		if err := running.Rescope(want); err == nil {
			t.Fatal("signs for more than it was made for")
		}
		time.Sleep(oneDay)

		a, err := certs.OpenExisting(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		fresh, err := a.Widen(want)
		if err != nil || !fresh {
			t.Fatalf("widened: a new root %v, %v", fresh, err)
		}
		// The process that was running takes it over with its next reload, and needs no restart.
		if err := running.Rescope(want); err != nil {
			t.Fatal(err)
		}
		after := running.Root()
		if after.Equal(before) || !after.Equal(a.Root()) {
			t.Error("the running process has another root")
		}
		for _, c := range []struct {
			name    string
			trusted []*x509.Certificate
			want    bool
		}{
			{"autodiscover.example.com", []*x509.Certificate{before}, true},
			{"autodiscover.example.com", []*x509.Certificate{after}, true},
			{"autodiscover.example.com", []*x509.Certificate{before, after}, true},
			{"mail.lab.test", []*x509.Certificate{before}, false},
			{"mail.lab.test", []*x509.Certificate{after}, true},
			{"mail.lab.test", []*x509.Certificate{before, after}, true},
			{"mail.lab.test", []*x509.Certificate{after, before}, true},
		} {
			if got := accepts(t, running, c.name, c.trusted...); got != c.want {
				t.Errorf("%s with %d roots: accepted %v, want %v", c.name, len(c.trusted), got, c.want)
			}
		}
		s := running.Status(time.Now())
		if len(s.Former) != 1 || !s.Former[0].Equal(before) || s.Root.NotAfter.Sub(before.NotAfter) != oneDay {
			t.Errorf("former roots %v, the new one ends %v", s.Former, s.Root.NotAfter)
		}
		// Asked again, there is nothing to grow.
		root := a.Root()
		if fresh, err := a.Widen(want); err != nil || fresh || !a.Root().Equal(root) {
			t.Errorf("widened again: a new root %v, %v", fresh, err)
		}
		open(t, dir, "example.com", "lab.test")
	})
}

// A kill before the new root has taken its place: what is there works as before, and widening can be asked for again.
func TestWiden_half(t *testing.T) {
	t.Parallel()
	dir := place(t)
	a := open(t, dir, "example.com")
	first := a.Root()
	text := read(t, filepath.Join(dir, "root.pem"))
	if _, err := a.Widen(certs.Scope{Names: []string{"lab.test"}}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "root.pem"), text)
	b := open(t, dir, "example.com")
	if !accepts(t, b, "example.com", first) || !b.Root().Equal(first) || len(b.Status(time.Now()).Former) != 0 {
		t.Error("it does not work as before")
	}
	_, err := certs.Open(dir, certs.Scope{Names: []string{"lab.test"}})
	if e, ok := errors.AsType[*certs.ScopeError](err); !ok || e.Foreign {
		t.Errorf("a wider scope: %v", err)
	}
	if err := b.Renew(); err != nil || !accepts(t, b, "example.com", first) {
		t.Errorf("renewed: %v", err)
	}
	if fresh, err := b.Widen(certs.Scope{Names: []string{"lab.test"}}); err != nil || !fresh {
		t.Errorf("widened again: %v, %v", fresh, err)
	}
	if err := b.Rescope(certs.Scope{Names: []string{"example.com", "lab.test"}}); err != nil {
		t.Fatal(err)
	}
	if !accepts(t, b, "example.com", first) || !accepts(t, b, "mail.lab.test", b.Root()) {
		t.Error("it does not work after the second attempt")
	}
}

// Widened again and again: each root that a client may have stopped at is good for the names that it had.
func TestWiden_often(t *testing.T) {
	t.Parallel()
	dir := place(t)
	a := open(t, dir, "a.test")
	roots := []*x509.Certificate{a.Root()}
	hosts := []string{"a.test", "b.test", "c.test", "d.test", "e.test"}
	for _, name := range hosts[1:] {
		if _, err := a.Widen(certs.Scope{Names: []string{name}}); err != nil {
			t.Fatal(err)
		}
		roots = append(roots, a.Root())
	}
	if err := a.Renew(); err != nil {
		t.Fatal(err)
	}
	b := open(t, dir, hosts...)
	for i, root := range roots {
		for j, name := range hosts {
			if got := accepts(t, b, name, root); got != (j <= i) {
				t.Errorf("root %d, name %d: accepted %v", i, j, got)
			}
		}
	}
	// No handshake carries more than four of them.
	if _, err := a.Widen(certs.Scope{Names: []string{"f.test"}}); err != nil {
		t.Fatal(err)
	}
	if leaf, err := a.Leaf("a.test"); err != nil || len(leaf.Certificate) != 2+4 || !accepts(t, a, "a.test", a.Root()) {
		t.Errorf("%d certificates are sent, %v", len(leaf.Certificate), err)
	}
	// When nobody needs them any more, they are forgotten. One that cannot be read is not taken for none.
	former := filepath.Join(dir, "former.pem")
	write(t, former, []byte("rubbish"))
	if err := b.Renew(); err == nil || !strings.Contains(err.Error(), former) {
		t.Errorf("with former roots that cannot be read: %v", err)
	}
	remove(t, filepath.Join(dir, "former.pem"))
	if err := b.Renew(); err != nil {
		t.Fatal(err)
	}
	leaf, err := b.Leaf("a.test")
	if err != nil || len(leaf.Certificate) != 2 || !accepts(t, b, "a.test", b.Root()) {
		t.Errorf("%d certificates are sent, %v", len(leaf.Certificate), err)
	}
}

// What a root may not sign for, its successors may not either; and whoever finds the issuer of a certificate by its key's identifier finds any of them.
func TestWiden_keepsWhatIsExcluded(t *testing.T) {
	t.Parallel()
	dir := place(t)
	ca := template("root")
	ca.ExcludedDNSDomains, ca.SubjectKeyId = []string{"secret.example.com"}, []byte{1, 2, 3}
	root := issue(t, ca, nil)
	lay(t, dir, root, issue(t, template("issuing"), root))
	a := open(t, dir, "example.com")
	if _, err := a.Widen(certs.Scope{Names: []string{"lab.test"}}); err != nil {
		t.Fatal(err)
	}
	leaf, err := a.Leaf("example.com")
	if err != nil || len(leaf.Certificate) != 3 {
		t.Fatalf("%d certificates are sent, %v", len(leaf.Certificate), err)
	}
	cross, err := x509.ParseCertificate(leaf.Certificate[2])
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*x509.Certificate{"the new root": a.Root(), "the issuing certificate": a.Issuing(), "what leads to the former root": cross} {
		if !slices.Equal(c.ExcludedDNSDomains, ca.ExcludedDNSDomains) {
			t.Errorf("%s excludes %q", name, c.ExcludedDNSDomains)
		}
		if c != a.Issuing() && !bytes.Equal(c.SubjectKeyId, ca.SubjectKeyId) {
			t.Errorf("%s has the key identifier %x", name, c.SubjectKeyId)
		}
	}
	if _, err := a.Leaf("www.secret.example.com"); err == nil {
		t.Error("signed for what every root excludes")
	}
}

func TestWiden_refused(t *testing.T) {
	t.Parallel()
	dir := place(t)
	ca := template("root")
	ca.ExcludedDNSDomains = []string{"secret.example.net"}
	root := issue(t, ca, nil)
	lay(t, dir, root, issue(t, template("issuing"), root))
	a := open(t, dir, "example.com")
	before := snapshot(t, dir)
	for want, names := range map[string][]string{
		`excludes "www.secret.example.net"`: {"www.secret.example.net"},
		`"*.x" is a pattern`:                {"*.x"},
		"scope has no names":                nil,
	} {
		if _, err := a.Widen(certs.Scope{Names: names}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", names, err, want)
		}
	}
	if snapshot(t, dir) != before {
		t.Error("a refused change changed files")
	}
	if err := os.Remove(filepath.Join(dir, "root.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Widen(certs.Scope{Names: []string{"lab.test"}}); err == nil || !strings.Contains(err.Error(), "renewing needs the root's key") {
		t.Errorf("without the root's key: %v", err)
	}
}

// The root's own end: another edition in time, under which leaves of before are good.
func TestRenewRoot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := place(t)
		first := open(t, dir, "example.com")
		before := first.Root()
		time.Sleep(time.Until(before.NotAfter) - 20*oneDay)
		if err := first.Refresh(); err != nil {
			t.Fatal(err)
		}
		if w := first.Status(time.Now()).Warnings; len(w) != 1 || w[0].Level != certs.LevelWarning || !strings.Contains(w[0].Text, "root certificate ends") {
			t.Fatalf("warnings %+v", w)
		}
		a := open(t, dir, "example.com")
		if err := a.RenewRoot(); err != nil {
			t.Fatal(err)
		}
		if w := a.Status(time.Now()).Warnings; len(w) != 0 {
			t.Errorf("warnings %+v", w)
		}
		for _, root := range []*x509.Certificate{before, a.Root()} {
			if !accepts(t, a, "example.com", root) {
				t.Errorf("refused under the root until %v", root.NotAfter)
			}
		}
		time.Sleep(30 * oneDay)
		if !accepts(t, a, "example.com", a.Root()) || accepts(t, a, "example.com", before) {
			t.Error("after the end of the former root")
		}
		if err := a.Renew(); err != nil {
			t.Fatal(err)
		}
		if leaf, err := a.Leaf("example.com"); err != nil || len(leaf.Certificate) != 2 {
			t.Errorf("%d certificates are sent, %v; want nothing that leads to what has ended", len(leaf.Certificate), err)
		}
	})
}
