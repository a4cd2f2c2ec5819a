//go:build unix

package truststore_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/certs/truststore"
)

var _ = syscall.Umask(0o077) // as hardened computers have it

// TestPolicies_newIsEverybodys: what is made for policies can be read by the programs of every user, whatever the umask, and goes again whole.
func TestPolicies_newIsEverybodys(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", true, "/usr/lib/firefox/", "/etc/x")
	before := c.tree(t)
	if r := only(t, c.stores.Install(t.Context(), truststore.Policies)); r.Status != truststore.Installed {
		t.Fatalf("got %+v", r)
	}
	for name, want := range map[string]fs.FileMode{
		"etc/firefox": fs.ModeDir | 0o755, "etc/firefox/policies": fs.ModeDir | 0o755, "etc/firefox/policies/policies.json": 0o644,
		"etc/firefox/policies/" + c.stores.Name() + ".pem": 0o644,
	} {
		if info, err := os.Stat(filepath.Join(c.root, name)); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, want %v (%v)", name, info.Mode(), want, err)
		}
	}
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.Policies)); !r.Exact {
		t.Errorf("got %+v", r)
	}
	if diff := cmp.Diff(before, c.tree(t)); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
}

// TestPolicies_linkAndMode: a link to a file that not everybody may read stays one, and the file keeps its mode and its owner.
func TestPolicies_linkAndMode(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", true, "/srv/policies.json")
	c.write(t, "/srv/policies.json", `{"policies": {}}`)
	c.link(t, "/usr/lib/thunderbird/distribution/policies.json", "../../../../srv/policies.json")
	file := filepath.Join(c.root, "srv/policies.json")
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(file, 1, 2); err != nil {
			t.Fatal(err)
		}
	}
	status := func() string {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		stat := info.Sys().(*syscall.Stat_t)
		return fmt.Sprint(info.Mode(), stat.Uid, stat.Gid)
	}
	before, was := c.tree(t), status()
	if r := only(t, c.stores.Install(t.Context(), truststore.Policies)); r.Status != truststore.Installed || status() != was {
		t.Errorf("got %+v, %s, want %s", r, status(), was)
	}
	if info, err := os.Stat(filepath.Join(c.root, "srv", c.stores.Name()+".pem")); err != nil || info.Mode() != 0o644 {
		t.Errorf("the certificate, which every user's programs read: %v, %v", info, err)
	}
	certificate := "/srv/" + c.stores.Name() + ".pem"
	c.write(t, certificate, string(encoded(selfSigned(t))))
	if r := only(t, c.stores.Verify(t.Context(), truststore.Policies)); r.Status != truststore.Absent || !strings.Contains(r.Verified, "does not hold the root") {
		t.Errorf("got %+v", r)
	}
	c.write(t, certificate, string(c.pem))
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.Policies)); !r.Exact || status() != was {
		t.Errorf("got %+v, %s, want %s", r, status(), was)
	}
	if diff := cmp.Diff(before, c.tree(t)); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
}

// TestNSS_pipes: a user's pipe where root looks for a file, at whose other end nobody is, holds nothing up.
func TestNSS_pipes(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", true, "/home/.thunderbird/a/cert9.db", "/home/.mozilla/firefox/b/")
	for _, name := range []string{"/home/.thunderbird/profiles.ini", "/home/.mozilla/firefox/b/cert9.db"} {
		if err := syscall.Mkfifo(filepath.Join(c.root, filepath.FromSlash(name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan []truststore.Report, 1)
	go func() { done <- c.stores.PlanInstall(t.Context(), truststore.NSS) }()
	select {
	case got := <-done:
		if len(got) != 2 || got[0].Status != truststore.Planned || got[1].Status != truststore.Skipped || got[1].Note != "the database cannot be written" {
			t.Errorf("got %+v", got)
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits")
	}
}
