package certs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A new authority is built whole in a directory next to its place, made durable, and put there by one rename. A crash
// before leaves a stray directory with keys that nobody trusts, a crash after leaves a complete authority, and of two
// processes that race, one rename succeeds.

// settle makes dir absolute and follows symbolic links if it exists, so that a rename replaces what the link means.
func settle(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dir, err
	}
	switch real, err := filepath.EvalSymlinks(abs); {
	case err == nil:
		return real, nil
	case !errors.Is(err, fs.ErrNotExist):
		return abs, err
	}
	if _, err := os.Lstat(abs); err == nil {
		return abs, &DamagedError{
			Path: abs, Problem: "is a symbolic link to nothing", Remedy: "make what it points to, or remove it",
		}
	}
	return abs, nil
}

func makeParents(dir string) error { return os.MkdirAll(filepath.Dir(dir), 0o700) }

// absent reports whether there is nothing in dir to load or to lose.
func absent(dir string) (bool, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if !info.IsDir() {
		return false, &DamagedError{
			Path: dir, Problem: "is not a directory", Remedy: "move it away, or name another directory",
		}
	}
	entries, err := os.ReadDir(dir)
	return len(entries) == 0, err
}

// create makes an authority for names, or returns nil as well if somebody else was first.
func (a *Authority) create(names []string, now time.Time) error {
	files, err := a.newFiles(names, now)
	if err != nil {
		return err
	}
	return place(a.dir, files)
}

// file is what a directory is to have in it.
type file struct {
	name string
	text []byte
}

// place puts a new directory with these files where none, or an empty one, is. It returns nil as well if another authority is there by then.
func place(dir string, files []file) error {
	tmp, err := os.MkdirTemp(filepath.Dir(dir), temporaryPrefix(dir)+"*") // mode 0700
	if err != nil {
		return fmt.Errorf("creating a directory beside it: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }() // after the rename there is nothing to remove
	for _, f := range files {
		if err := writeFile(filepath.Join(tmp, f.name), f.text); err != nil {
			return err
		}
	}
	if err := syncDir(tmp); err != nil {
		return err
	}
	// An empty directory may be in the way, which os.Rename does not replace; one with content is not removed by this.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) && !taken(dir) {
		return fmt.Errorf("replacing the empty directory: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil && !taken(dir) {
		return fmt.Errorf("moving the new authority into place: %w", err)
	}
	return syncDir(filepath.Dir(dir))
}

// taken reports whether another process has put its authority into dir.
func taken(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, rootFile))
	return err == nil
}

// newFiles makes a complete authority.
func (a *Authority) newFiles(names []string, now time.Time) ([]file, error) {
	root, err := newRoot(names, now)
	if err != nil {
		return nil, err
	}
	t, err := a.newTiers(root, nil, now)
	if err != nil {
		return nil, err
	}
	rootKey, err := encodeKey(root.key)
	if err != nil {
		return nil, err
	}
	issuing, err := encodeTiers(t)
	if err != nil {
		return nil, err
	}
	return []file{{rootKeyFile, rootKey}, {rootFile, encodeCertificate(root.cert)}, {issuingFile, issuing}}, nil
}
