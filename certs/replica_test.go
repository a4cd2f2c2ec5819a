package certs_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/certs"
)

// Replicas behind one address share an issuing certificate: one clock's worth of years, with what the first renews carried over.
func TestReplica(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := place(t), place(t)
		a := openAt(t, first, admin, "example.com")
		carry := func() {
			t.Helper()
			var meanwhile sync.WaitGroup
			meanwhile.Go(func() { _ = a.Fingerprint() }) // of the same authority, whose every decision has it
			text, err := a.Replica()
			meanwhile.Wait()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), string(read(t, filepath.Join(first, "root.key")))) || strings.Count(string(text), "PRIVATE KEY-----") != 2 {
				t.Fatal("more than one key goes along")
			}
			if err := certs.Import(second, material(t, text)); err != nil {
				t.Fatal(err)
			}
		}
		carry()
		b := openAt(t, second, admin, "example.com")
		for range 6 {
			if !accepts(t, b, "example.com", a.Root()) || !a.Issuing().Equal(b.Issuing()) || b.RootRevocationList() == nil {
				t.Fatal("the replica is another authority")
			}
			if s := b.Status(time.Now()); s.RootKey != certs.KeyAbsent || !s.Own {
				t.Fatalf("replica: %+v", s)
			}
			time.Sleep(50 * oneDay)
			if err := a.Renew(); err != nil {
				t.Fatal(err)
			}
			carry()
			if err := b.Refresh(); err != nil {
				t.Fatal(err)
			}
		}
		// A wider root as well, with what is sent to clients that trust only the former one.
		former := a.Root()
		old, err := a.Replica()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Widen(certs.Scope{Names: []string{"lab.test"}}); err != nil {
			t.Fatal(err)
		}
		carry()
		if err := b.Rescope(certs.Scope{Names: []string{"example.com", "lab.test"}}); err != nil {
			t.Fatal(err)
		}
		if s := b.Status(time.Now()); !s.Root.Equal(a.Root()) || len(s.Former) != 1 || !accepts(t, b, "example.com", former) {
			t.Errorf("replica after widening: %d former roots, whose clients accept it: %v", len(s.Former), accepts(t, b, "example.com", former))
		}
		// What was exported before that takes nothing back: clients may trust the wider root alone.
		for _, dir := range []string{first, second} {
			before := contents(t, dir)
			if err := certs.Import(dir, material(t, old)); err == nil || !strings.Contains(err.Error(), "a newer edition of that root") {
				t.Errorf("an older edition: got %v", err)
			}
			if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
				t.Errorf("an older edition changed %s: %s", dir, diff)
			}
		}
	})
}
