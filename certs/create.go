package certs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"autodiscover-guard/certs/durable"
)

// A new authority is built whole in a directory next to its place, made durable, and put there by one rename. A crash
// before leaves a stray directory with keys that nobody trusts, a crash after leaves a complete authority, and of two
// processes that race, one rename succeeds.

// resolveDir makes dir absolute and follows symbolic links if it exists, so that a rename replaces what the link means.
func resolveDir(dir string) (string, error) {
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
	if info, err := os.Lstat(abs); err == nil && info.Mode()&fs.ModeSymlink != 0 { // and not what another process has just made
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
	return err == nil && len(entries) == 0, err
}

// create makes an authority for names, or returns nil as well if somebody else was first.
func (a *Authority) create(names []string, now time.Time) error {
	files, err := a.newFiles(names, now)
	if err != nil {
		return err
	}
	return createDir(a.dir, files, false)
}

// file is what a directory is to have in it.
type file struct {
	name string
	text []byte
}

// createDir puts a new directory with these files where none, or an empty one, is. It returns nil as well if another authority is there by then. To
// inherit is to belong to the owner of the empty one, or of the directory above, where root is at work in what is another user's.
func createDir(dir string, files []file, inherit bool) error {
	above, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return err
	}
	defer above.Close()
	name := temporaryPrefix(dir) + rand.Text()
	if err := above.Mkdir(name, 0o700); err != nil {
		return fmt.Errorf("creating a directory beside it: %w", err)
	}
	defer func() { _ = above.RemoveAll(name) }() // after the rename there is nothing to remove
	if err := fill(above, name, dir, files, inherit); err != nil {
		return err
	}
	// An empty directory may be in the way, which a rename does not replace everywhere; one with content is not removed by this.
	if err := above.Remove(filepath.Base(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) && !taken(dir) {
		return fmt.Errorf("replacing the empty directory: %w", err)
	}
	if err := above.Rename(name, filepath.Base(dir)); err != nil && !taken(dir) {
		return fmt.Errorf("moving the new authority into place: %w", err)
	}
	return durable.SyncDir(filepath.Dir(dir))
}

// fill puts the files into the new directory of that name, which is to be dir. It is closed before it is renamed, as Windows wants it.
func fill(above *os.Root, name, dir string, files []file, inherit bool) error {
	made, err := above.OpenRoot(name)
	if err != nil {
		return err
	}
	defer made.Close()
	var owner fs.FileInfo
	if inherit {
		if owner, err = ownerFor(above, filepath.Base(dir), made); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := writeFile(made, f.name, f.text, owner); err != nil {
			return err
		}
	}
	return finishDir(made, owner)
}

// ownerFor is whose a new directory will be. made is what was opened under the name of the one that was made: who owns the directory above could have
// put another there in between, and would get that.
func ownerFor(above *os.Root, name string, made *os.Root) (fs.FileInfo, error) {
	entries, err := fs.ReadDir(made.FS(), ".")
	if err != nil {
		return nil, err
	}
	if len(entries) != 0 {
		return nil, fmt.Errorf("somebody else is at work in %q", above.Name())
	}
	if empty, err := above.Lstat(name); err == nil && empty.IsDir() {
		return empty, nil
	}
	return above.Stat(".")
}

// finishDir makes the names in a new directory durable, and gives it to its owner: last, because until then nobody but root gets at what is in it.
func finishDir(dir *os.Root, owner fs.FileInfo) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	return errors.Join(durable.Sync(d), chownLike(d, owner))
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
