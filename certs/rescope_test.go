package certs_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"autodiscover-guard/certs"
)

// TestAuthority_Rescope: an authority signs for less or for more again, but never for what its certificates were not made for.
func TestAuthority_Rescope(t *testing.T) {
	a := open(t, t.TempDir()+"/authority", "example.com", "lab.test")
	leafOK := func(name string) bool {
		t.Helper()
		_, err := a.Leaf(name)
		if _, outside := errors.AsType[*certs.OutOfScopeError](err); err != nil && !outside {
			t.Fatal(err)
		}
		return err == nil
	}
	if !leafOK("mail.lab.test") {
		t.Fatal("not signed for what it was opened for")
	}
	if err := a.Rescope(certs.Scope{Names: []string{"example.com"}}); err != nil {
		t.Fatal(err)
	}
	if leafOK("mail.lab.test") || !leafOK("autodiscover.example.com") {
		t.Error("the narrower scope does not hold")
	}
	err := a.Rescope(certs.Scope{Names: []string{"example.com", "lab.test", "corp.example.net"}})
	if narrow, ok := errors.AsType[*certs.ScopeError](err); !ok || !slices.Equal(narrow.Missing, []string{"corp.example.net"}) {
		t.Errorf("got %v, want the one name that is missing", err)
	}
	if leafOK("mail.lab.test") {
		t.Error("a refused change took effect")
	}
	if err := a.Rescope(certs.Scope{Names: []string{"lab.test"}}); err != nil || !leafOK("mail.lab.test") {
		t.Errorf("back again: %v", err)
	}
}

// Rescope says what a start would say, also of an authority that has ended while it was in use, as a replica's does whom nobody has brought the next.
func TestAuthority_Rescope_afterItsEnd(t *testing.T) {
	t.Parallel()
	scope := certs.Scope{Names: []string{"example.com"}}
	for name, c := range map[string]struct {
		life time.Duration
		key  bool // of the root is there
		file string
	}{
		"before the end":                {89 * oneDay, false, ""},
		"the issuing certificate's":     {91 * oneDay, false, "issuing.pem"},
		"the same, with the root's key": {91 * oneDay, true, ""},
		"the root's":                    {3651 * oneDay, true, "root.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := place(t)
				a := open(t, dir, "example.com")
				if !c.key {
					if err := os.Remove(filepath.Join(dir, "root.key")); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(c.life)
				err := a.Rescope(scope)
				started, startErr := certs.Open(dir, scope)
				if startErr == nil {
					defer started.Close()
				}
				if (err == nil) != (startErr == nil) {
					t.Errorf("got %v, and of a start %v", err, startErr)
				}
				damaged, ok := errors.AsType[*certs.DamagedError](err)
				if c.file == "" && err != nil || c.file != "" && (!ok || damaged.Path != filepath.Join(dir, c.file) || damaged.Remedy == "") {
					t.Errorf("got %v, want %q named", err, c.file)
				}
			})
		})
	}
}
