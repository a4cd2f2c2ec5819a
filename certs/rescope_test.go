package certs_test

import (
	"errors"
	"slices"
	"testing"

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
