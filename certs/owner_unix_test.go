//go:build unix

package certs_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"autodiscover-guard/certs"
)

// service is a user that a guard may run as; it need not exist.
const service = 65534

// chown gives files away, which only root can.
func chown(t *testing.T, paths ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can write for somebody else")
	}
	for _, path := range paths {
		if err := os.Lchown(path, service, service+1); err != nil {
			t.Skip("no file can be given away here: ", err)
		}
	}
}

// wantOwner checks whose files are.
func wantOwner(t *testing.T, uid, gid uint32, paths ...string) {
	t.Helper()
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := info.Sys().(*syscall.Stat_t); !ok || s.Uid != uid || s.Gid != gid {
			t.Errorf("%s belongs to %d:%d, want %d:%d", path, s.Uid, s.Gid, uid, gid)
		}
	}
}

// in names the files of an authority.
func in(dir string, names ...string) []string {
	for i, name := range names {
		names[i] = filepath.Join(dir, name)
	}
	return names
}

// What root writes into the directory of a service is the service's, which could not read it otherwise: the guard would not start again.
func TestOwner_commandsOfRoot(t *testing.T) {
	t.Parallel()
	dir := place(t)
	a := open(t, dir, "example.com")
	text, err := a.Replica()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		do   func() error
	}{
		{"import", func() error { return certs.Import(dir, material(t, text)) }},
		{"renew", a.Renew},
		{"renew the root", a.RenewRoot},
		{"widen", func() error { _, err := a.Widen(certs.Scope{Names: []string{"lab.test"}}); return err }},
	} {
		chown(t, append(in(dir, "issuing.pem", "root.pem", "root.key"), dir)...)
		if err := c.do(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		wantOwner(t, service, service+1, in(dir, "issuing.pem", "root.pem", "root.key")...)
	}
	wantOwner(t, service, service+1, filepath.Join(dir, "former.pem"))
}

// A directory that an import makes belongs to the owner of the one above, or of the empty one whose place it takes; one that is made for root's own
// guard stays root's.
func TestOwner_newDirectory(t *testing.T) {
	t.Parallel()
	text, err := open(t, place(t), "example.com").Replica()
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	chown(t, state)
	dir := filepath.Join(state, "authority")
	if err := certs.Import(dir, material(t, text)); err != nil {
		t.Fatal(err)
	}
	wantOwner(t, service, service+1, append(in(dir, "issuing.pem", "root.pem"), dir)...)

	empty := place(t)
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	chown(t, empty)
	if err := certs.Import(empty, material(t, text)); err != nil {
		t.Fatal(err)
	}
	wantOwner(t, service, service+1, append(in(empty, "issuing.pem", "root.pem"), empty)...)

	own := filepath.Join(state, "own")
	open(t, own, "example.com")
	wantOwner(t, 0, uint32(os.Getegid()), append(in(own, "issuing.pem", "root.pem", "root.key"), own)...)
}

// A link in the place of what is replaced is not followed: what it points at is neither written nor given away.
func TestOwner_followsNoLink(t *testing.T) {
	t.Parallel()
	dir := place(t)
	a := open(t, dir, "example.com")
	victim := filepath.Join(t.TempDir(), "victim")
	write(t, victim, []byte("root's own"))
	remove(t, filepath.Join(dir, "issuing.pem"))
	if err := os.Symlink(victim, filepath.Join(dir, "issuing.pem")); err != nil {
		t.Fatal(err)
	}
	chown(t, dir)
	if err := a.Renew(); err != nil {
		t.Fatal(err)
	}
	wantOwner(t, 0, uint32(os.Getegid()), victim)
	if got := string(read(t, victim)); got != "root's own" {
		t.Errorf("the victim is %q", got)
	}
	wantOwner(t, service, service+1, filepath.Join(dir, "issuing.pem"))
}
