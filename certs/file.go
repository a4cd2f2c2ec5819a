package certs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"autodiscover-guard/certs/durable"
)

// Files that hold keys. google/renameio would do, but not on Windows, where it is empty on purpose, and its temporary
// file may be put into $TMPDIR; creating an authority needs writeFile in any case, and replaceFile is one rename more.

const (
	rootFile    = "root.pem"
	rootKeyFile = "root.key"
	issuingFile = "issuing.pem"
	formerFile  = "former.pem"

	// maxFile is far above any file of ours, and keeps a wrong path such as a device from being read for ever.
	maxFile = 256 << 10
	// strayAfter is when a temporary file or directory can no longer belong to a process that is still at work.
	strayAfter = 10 * time.Minute
)

// writeFile creates a file that was not there, private from its first byte on, and returns when it is on disk. Where root writes it, it goes
// to whom owner belongs; nil is nobody.
func writeFile(dir *os.Root, name string, text []byte, owner fs.FileInfo) error {
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = chownLike(f, owner)
	if err == nil {
		_, err = f.Write(text)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// replaceFile puts text in the place of a file, so that a reader, or a crash, finds the old or the new one, whole. An administrator's command
// runs as root in the directory of a service: the file belongs to that service then. Everything is done in the directory that was opened, and whose
// owner was asked for: the service cannot have root give it a file elsewhere by putting a link in the directory's place meanwhile.
func replaceFile(path string, text []byte) error {
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("replacing %q: %w", path, err)
	}
	defer dir.Close()
	tmp := temporaryPrefix(path) + rand.Text()
	owner, err := dir.Stat(".")
	if err == nil {
		err = writeFile(dir, tmp, text, owner)
	}
	if err == nil {
		err = dir.Rename(tmp, filepath.Base(path))
	}
	if err != nil {
		_ = dir.Remove(tmp) // sweep takes it if this does not work
		return fmt.Errorf("replacing %q: %w", path, err)
	}
	return durable.SyncDir(filepath.Dir(path))
}

// temporaryPrefix is how the names of temporary files and directories for path begin.
func temporaryPrefix(path string) string { return "." + filepath.Base(path) + ".new-" }

// sweep removes what a crash has left behind. It does its best: nothing ever reads these files.
func sweep(dir string) {
	for _, path := range []string{dir, filepath.Join(dir, issuingFile), filepath.Join(dir, rootFile), filepath.Join(dir, formerFile)} {
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), temporaryPrefix(path)) {
				continue
			}
			if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > strayAfter {
				_ = os.RemoveAll(filepath.Join(filepath.Dir(path), e.Name()))
			}
		}
	}
}

// readFile reads a file of the authority. The modes are those of what was opened, so nothing can be swapped in between. What is no file is not opened: a named
// pipe waits for somebody who writes.
func readFile(path string, forbidden fs.FileMode) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &DamagedError{Path: path, Problem: "is not a file", Remedy: restore}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkMode(path, info, forbidden); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		return nil, &DamagedError{Path: path, Problem: "is larger than any file of an authority", Remedy: restore}
	}
	return text, err
}
