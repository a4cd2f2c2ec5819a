package certs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"autodiscover-guard/certs"
)

func TestReadRoot_makesNothing(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"absent": filepath.Join(t.TempDir(), "authority"), "empty": t.TempDir()} {
		if _, _, err := certs.ReadRoot(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want %v", name, err, fs.ErrNotExist)
		}
		if entries, _ := os.ReadDir(dir); len(entries) > 0 {
			t.Errorf("%s: there is %v now", name, entries)
		}
	}
}

func TestReadRoot_isTheRootThatOpenHas(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "authority")
	authority, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer authority.Close()
	root, file, err := certs.ReadRoot(dir)
	if err != nil || !root.Equal(authority.Root()) || file != authority.RootFile() {
		t.Errorf("got %v in %q, %v", root, file, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "root.pem"), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := certs.ReadRoot(dir); err == nil {
		t.Error("what is no certificate is read without complaint")
	} else if _, ok := errors.AsType[*certs.DamagedError](err); !ok {
		t.Errorf("got %v, want a DamagedError", err)
	}
}
