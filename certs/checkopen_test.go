package certs_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"autodiscover-guard/certs"
)

// What CheckOpen says is what Open says next, and nothing is made, renewed or written for it; damaged does the same with directories that Open refuses.
func TestCheckOpen(t *testing.T) {
	t.Parallel()
	const made = "example.com"
	for name, c := range map[string]struct {
		asked string
		after time.Duration
		key   bool // of the root is there
		ok    bool
	}{
		"new":                            {made, 0, true, true},
		"narrower":                       {"mail." + made, 0, true, true},
		"wider":                          {"example.net", 0, true, false},
		"no name":                        {"exa mple", 0, true, false},
		"to be renewed":                  {made, 61 * oneDay, true, true},
		"ended, and can be renewed":      {made, 91 * oneDay, true, true},
		"ended, without the root's key":  {made, 91 * oneDay, false, false},
		"the root has ended, key or not": {made, 3651 * oneDay, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := place(t)
				open(t, dir, made)
				if !c.key {
					remove(t, filepath.Join(dir, "root.key"))
				}
				time.Sleep(c.after)
				scope, before := certs.Scope{Names: []string{c.asked}}, snapshot(t, dir)
				creates, examined := certs.CheckOpen(dir, scope)
				if creates || snapshot(t, dir) != before {
					t.Error("something was written, or is to be made")
				}
				a, opened := certs.Open(dir, scope)
				if opened == nil {
					defer a.Close()
				}
				if (examined == nil) != c.ok || (opened == nil) != c.ok {
					t.Errorf("got %v, then %v; want ok %v", examined, opened, c.ok)
				}
			})
		})
	}
}

// Where there is nothing, Open would make an authority, and CheckOpen makes nothing.
func TestCheckOpen_nothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "above", "authority")
	scope := certs.Scope{Names: []string{"example.com"}}
	if creates, err := certs.CheckOpen(dir, scope); err != nil || !creates {
		t.Error(creates, err)
	}
	if _, err := os.Stat(filepath.Dir(dir)); err == nil {
		t.Error("something was made")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if creates, err := certs.CheckOpen(dir, scope); err != nil || !creates {
		t.Errorf("empty: %t, %v", creates, err)
	}
}
