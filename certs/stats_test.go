package certs_test

import (
	"testing"

	"autodiscover-guard/certs"
)

func TestAuthority_Stats(t *testing.T) {
	a := open(t, t.TempDir(), "lab.test")
	for range 3 {
		for _, name := range []string{"one.lab.test", "two.lab.test"} {
			if _, err := a.Leaf(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := a.Leaf("bank.net"); err == nil {
		t.Fatal("out of scope, and signed")
	}
	if got, want := a.Stats(), (certs.Stats{Cached: 4, Made: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
