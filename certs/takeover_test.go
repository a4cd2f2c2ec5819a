package certs_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"autodiscover-guard/certs"
)

// What a running process says of the directory is what the next start would say: it takes over just what a start takes, and says why it does not take
// the rest. What it has goes on signing meanwhile.
func TestRescope_asAStart(t *testing.T) {
	t.Parallel()
	both := []string{"example.com", "lab.test"}
	company := func(days int) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			c := newCompany(t, func(_, _, issuing *x509.Certificate) { issuing.NotAfter = time.Now().Add(time.Duration(days) * oneDay) })
			if err := certs.Import(dir, c.material()); err != nil {
				t.Fatal(err)
			}
		}
	}
	own := func(names ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			open(t, dir, names...)
		}
	}
	for name, c := range map[string]struct {
		make  func(t *testing.T, dir string) // what the directory has next
		days  int                            // how old it is then
		scope []string
		want  string // part of the error, empty where it is taken over
	}{
		"another root, with fewer names than are wanted":        {own("example.com"), 0, both, "was made without lab.test, and a certificate cannot grow"},
		"another root, with all names that are wanted from now": {own("example.com"), 0, both[:1], ""},
		"another root, older than what is in use":               {own(both...), 10, both, ""},
		"another CA's, older and with little time left":         {company(50), 30, both[:1], ""},
		"another CA's, over":                                    {company(10), 30, both[:1], "it cannot be renewed: the issuing certificate is another CA's: have that issue a new one, and import it; check the clock"},
		"over, with the root's key":                             {own(both...), 100, both, ""},
		"over, without the root's key": {func(t *testing.T, dir string) {
			t.Helper()
			own(both...)(t, dir)
			remove(t, filepath.Join(dir, "root.key"))
		}, 100, both, "it cannot be renewed: renewing needs the root's key: "},
		"its root over": {func(t *testing.T, dir string) {
			t.Helper()
			root := issue(t, template("root"), nil)
			lay(t, dir, root, issue(t, template("issuing"), root))
		}, 100, both[:1], `root.pem" is valid from `},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dir, next := place(t), place(t)
				c.make(t, next)
				time.Sleep(time.Duration(c.days) * oneDay)
				a := open(t, dir, both...)
				old := a.Issuing()
				if err := a.Refresh(); err != nil { // the last try was just now, which is no reason to wait with the next
					t.Fatal(err)
				}
				if err := os.Rename(dir, dir+".away"); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(next, dir); err != nil {
					t.Fatal(err)
				}
				err := a.Rescope(certs.Scope{Names: c.scope})
				mint(t, a)
				after, startErr := certs.Open(dir, certs.Scope{Names: c.scope})
				told := slices.ContainsFunc(a.Status(time.Now()).Warnings, func(w certs.Warning) bool {
					return w.Cure != "" && strings.Contains(w.Text, "cannot be taken over, and the next start would fail: ")
				})
				if c.want == "" {
					if err != nil || startErr != nil || told || !a.Issuing().Equal(after.Issuing()) {
						t.Fatalf("Rescope: %v, a start: %v, warned: %v, or they sign with different certificates", err, startErr, told)
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), c.want) || startErr == nil || !strings.Contains(startErr.Error(), c.want) {
					t.Errorf("Rescope: %v\na start: %v\nwant %q", err, startErr, c.want)
				}
				if !told || !a.Issuing().Equal(old) {
					t.Errorf("warned: %v, or another certificate is in use", told)
				}
				if err := a.Refresh(); err == nil || !strings.Contains(err.Error(), "the next start would fail") {
					t.Errorf("Refresh: %v", err)
				}
			})
		})
	}
}

// What was renewed while the disk took nothing is written as soon as it does, and until then somebody is told: the root's key may be gone by then.
func TestRefresh_savesWhatWasNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := place(t)
		a := open(t, dir, "example.com")
		issuing, key := filepath.Join(dir, "issuing.pem"), filepath.Join(dir, "root.key")
		old := read(t, issuing)
		remove(t, issuing)
		if err := os.MkdirAll(filepath.Join(issuing, "x"), 0o700); err != nil { // nothing can be renamed to that, not even by root
			t.Fatal(err)
		}
		time.Sleep(70 * oneDay)
		mint(t, a)
		remove(t, key)
		for range 2 {
			if err := a.Refresh(); err == nil || !strings.Contains(err.Error(), "not saved, and lost with this process") {
				t.Errorf("Refresh: %v", err)
			}
			time.Sleep(time.Hour)
		}
		if err := os.RemoveAll(issuing); err != nil {
			t.Fatal(err)
		}
		half := old[:len(old)/2] // not what was left there: that is for somebody to look at
		write(t, issuing, half)
		if err := a.Refresh(); err == nil || !slices.Equal(read(t, issuing), half) {
			t.Errorf("what cannot be read was written over (%v)", err)
		}
		write(t, issuing, old)
		time.Sleep(25 * oneDay) // the old one is over
		if err := a.Refresh(); err != nil || len(a.Status(time.Now()).Warnings) != 0 {
			t.Errorf("with space again: %v, warnings %v", err, a.Status(time.Now()).Warnings)
		}
		if b := open(t, dir, "example.com"); !b.Issuing().Equal(a.Issuing()) {
			t.Error("the next start has another one")
		}
		private(t, dir)
	})
}
