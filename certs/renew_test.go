package certs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"autodiscover-guard/certs"
)

const oneDay = 24 * time.Hour

// mint asks for a leaf and checks it as a client would.
func mint(t *testing.T, a *certs.Authority) {
	t.Helper()
	leaf, err := a.Leaf("autodiscover.example.com")
	if err != nil {
		t.Fatalf("%v: %v", time.Now(), err)
	}
	if err := verify(a.Root(), leaf.Certificate, "autodiscover.example.com"); err != nil {
		t.Fatalf("%v: %v", time.Now(), err)
	}
	if leaf.Leaf.NotAfter.After(a.Issuing().NotAfter) || leaf.Leaf.NotBefore.Before(a.Issuing().NotBefore) {
		t.Errorf("leaf is valid from %v to %v, its issuer from %v to %v", leaf.Leaf.NotBefore, leaf.Leaf.NotAfter,
			a.Issuing().NotBefore, a.Issuing().NotAfter)
	}
}

func TestRenew_onOpen(t *testing.T) {
	t.Parallel()
	for days, renewed := range map[int]bool{59: false, 61: true, 89: true, 200: true} {
		synctest.Test(t, func(t *testing.T) {
			dir := place(t)
			first := open(t, dir, "example.com")
			time.Sleep(time.Duration(days) * oneDay)
			again := open(t, dir, "example.com")
			if got := !again.Issuing().Equal(first.Issuing()); got != renewed {
				t.Errorf("after %d days: renewed = %v", days, got)
			}
			if !again.Root().Equal(first.Root()) || again.RenewalErr() != nil {
				t.Errorf("after %d days: another root, or %v", days, again.RenewalErr())
			}
			if renewed && again.Issuing().PublicKey == first.Issuing().PublicKey {
				t.Errorf("after %d days: the key is the old one", days)
			}
			mint(t, again)
			if before := snapshot(t, dir); again.Refresh() != nil || snapshot(t, dir) != before {
				t.Errorf("after %d days: there is nothing new, and something was written", days)
			}
			third := open(t, dir, "example.com")
			if !third.Issuing().Equal(again.Issuing()) {
				t.Errorf("after %d days: what was renewed is not on disk", days)
			}
			checkModes(t, dir)
		})
	}
}

// A process that runs for two years serves good leaves every day, with the root it began with.
func TestRenew_whileRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := place(t)
		a := open(t, dir, "example.com")
		issuers := map[string]bool{}
		for range 2 * 365 {
			mint(t, a)
			issuers[a.Issuing().SerialNumber.String()] = true
			if left := time.Until(a.Issuing().NotAfter); left < 15*oneDay {
				t.Fatalf("%v: issuing certificate has %v left", time.Now(), left)
			}
			time.Sleep(oneDay)
		}
		if n := len(issuers); n < 8 || n > 13 {
			t.Errorf("%d issuing certificates in two years", n)
		}
		if got := stolen(t, dir); !got.cert.Equal(a.Issuing()) {
			t.Error("the last one is not on disk")
		}
		checkModes(t, dir)
	})
}

func TestRenew_withoutRootKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := place(t)
		key := filepath.Join(dir, "root.key")
		first := open(t, dir, "example.com")
		text := read(t, key)
		remove(t, key)
		a := open(t, dir, "example.com")
		mint(t, a)

		time.Sleep(70 * oneDay)
		mint(t, a)
		if err := a.RenewalErr(); err == nil || !strings.Contains(err.Error(), "renewing needs the root's key") {
			t.Errorf("RenewalErr() = %v", err)
		}
		if err := a.Renew(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("Renew() = %v", err)
		}
		time.Sleep(20*oneDay - 10*time.Second) // the last ten seconds
		mint(t, a)
		open(t, dir, "example.com")

		time.Sleep(time.Minute)
		_, err := a.Leaf("autodiscover.example.com")
		expired(t, err, dir)
		_, err = certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
		expired(t, err, dir)

		// The key comes back for a moment, and all is well for the running process and for new ones.
		// The running one tries again once a minute, not for every handshake.
		write(t, key, text)
		if _, err := a.Leaf("autodiscover.example.com"); err == nil {
			t.Error("tried again at once")
		}
		time.Sleep(2 * time.Minute)
		mint(t, a)
		if a.RenewalErr() != nil {
			t.Errorf("RenewalErr() = %v", a.RenewalErr())
		}
		remove(t, key)
		b := open(t, dir, "example.com")
		mint(t, b)
		if !b.Issuing().Equal(a.Issuing()) || !b.Root().Equal(first.Root()) {
			t.Error("the running process and the new one do not agree")
		}
	})
}

func expired(t *testing.T, err error, dir string) {
	t.Helper()
	d, ok := errors.AsType[*certs.DamagedError](err)
	if !ok || d.Path != filepath.Join(dir, "issuing.pem") {
		t.Fatalf("after the end: %v", err)
	}
	for _, want := range []string{
		"is valid from 1999-12-31 00:00:00 UTC to 2000-03-31 00:00:00 UTC",
		"this computer's clock says 2000-03-31 00:00:50 UTC, and it cannot be renewed",
		"renewing needs the root's key: open ",
		"check the clock, put root.key back into the directory, and start again",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error is %q\nwant %q in it", err, want)
		}
	}
}

// A disk that takes nothing: the issuing file's place is taken by a directory, so that the rename does not work, not
// even for root.
func TestRenew_unwritable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := place(t)
		a := open(t, dir, "example.com")
		issuing := filepath.Join(dir, "issuing.pem")
		old := read(t, issuing)
		remove(t, issuing)
		if err := os.MkdirAll(filepath.Join(issuing, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(70 * oneDay)
		mint(t, a)
		if err := a.RenewalErr(); err == nil || !strings.Contains(err.Error(), "not saved, and lost with this process: replacing ") {
			t.Errorf("RenewalErr() = %v", err)
		}
		time.Sleep(50 * oneDay) // beyond the end of the one on disk
		mint(t, a)
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
			t.Errorf("the directory has %v (%v)", entries, err)
		}
		// The disk works again. The next process renews for good.
		if err := os.RemoveAll(issuing); err != nil {
			t.Fatal(err)
		}
		write(t, issuing, old)
		b := open(t, dir, "example.com")
		mint(t, b)
		if b.RenewalErr() != nil || !stolen(t, dir).cert.Equal(b.Issuing()) {
			t.Errorf("not renewed for good: %v", b.RenewalErr())
		}
	})
}

// Two processes share a directory, and one has renewed: the other takes that over.
func TestRenew_adopted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := place(t)
		a, b := open(t, dir, "example.com"), open(t, dir, "example.com")
		key := filepath.Join(dir, "root.key")
		text := read(t, key)
		remove(t, key)
		time.Sleep(65 * oneDay)
		mint(t, b)
		if b.RenewalErr() == nil {
			t.Error("renewed without the root's key")
		}
		write(t, key, text)
		mint(t, a)
		remove(t, key)
		time.Sleep(2 * time.Minute)
		if _, err := b.Leaf("another.example.com"); err != nil {
			t.Fatal(err)
		}
		if !a.Issuing().Equal(b.Issuing()) || b.RenewalErr() != nil {
			t.Errorf("two issuing certificates, or %v", b.RenewalErr())
		}
	})
}

func TestRenew_onDemand(t *testing.T) {
	t.Parallel()
	dir := place(t)
	a := open(t, dir, "example.com")
	before := a.Issuing()
	leaf, err := a.Leaf("example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Renew(); err != nil {
		t.Fatal(err)
	}
	if a.Issuing().Equal(before) || a.Issuing().Subject.String() == before.Subject.String() {
		t.Error("the issuing certificate, or its subject, is the same")
	}
	again, err := a.Leaf("example.com")
	if err != nil || again == leaf {
		t.Errorf("the leaf is still the old issuer's (%v)", err)
	}
	if err := verify(a.Root(), again.Certificate, "example.com"); err != nil {
		t.Error(err)
	}
	if err := verify(a.Root(), leaf.Certificate, "example.com"); err != nil {
		t.Errorf("the old leaf is not good any more: %v", err)
	}
	checkModes(t, dir)
}

// Near the end of the root nothing outlives it, and after it there is one clear error.
func TestRenew_endOfRoot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := place(t)
		a := open(t, dir, "example.com")
		end := a.Root().NotAfter
		time.Sleep(time.Until(end) - 20*oneDay)
		mint(t, a)
		b := open(t, dir, "example.com")
		last := b.Issuing()
		if !last.NotAfter.Equal(end) {
			t.Errorf("issuing certificate ends %v, its root %v", last.NotAfter, end)
		}
		time.Sleep(20*oneDay - time.Second)
		mint(t, a)
		if c := open(t, dir, "example.com"); !c.Issuing().Equal(last) {
			t.Error("renewed although nothing is to be gained")
		}
		time.Sleep(time.Minute)
		if _, err := a.Leaf("example.com"); err == nil || !strings.Contains(err.Error(), "root certificate is valid from ") {
			t.Errorf("after the end: %v", err)
		}
		_, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
		d, ok := errors.AsType[*certs.DamagedError](err)
		if !ok || d.Path != filepath.Join(dir, "root.pem") || !strings.Contains(d.Remedy, "remove the directory") {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A root key that was given to another user is as good as one that was moved away.
func TestRenew_rootKeyOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() <= 0 {
		t.Skip("root, and everybody on Windows, can read any file")
	}
	dir := place(t)
	open(t, dir, "example.com")
	chmod(t, filepath.Join(dir, "root.key"), 0)
	mint(t, open(t, dir, "example.com"))
}
