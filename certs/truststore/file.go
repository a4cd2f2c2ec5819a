package truststore

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"autodiscover-guard/certs/durable"
)

// maxFile is far above any trust store, and keeps a wrong path such as a device from being read for ever.
const maxFile = 64 << 20

// readFile reads a whole file. That there is none is no error: nil stands for it, and an empty file is an empty slice.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|atOnce, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a file", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%q is larger than any trust store", path)
	}
	if text == nil {
		text = []byte{}
	}
	return text, err
}

// replaceFile puts text in the place of a file by one rename, with the mode and the owner of what was there; a new file can be read by
// everybody. What is a symbolic link stays one.
func replaceFile(path string, text []byte) error { return replaceAs(path, text, 0o644) }

// replaceAs is replaceFile with the mode of a new file.
func replaceAs(path string, text []byte, mode fs.FileMode) error {
	path = resolved(path)
	tmp := besides(path) + rand.Text()
	err := writeLike(path, tmp, text, mode)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("replacing %q: %w", path, err)
	}
	return durable.SyncDir(filepath.Dir(path))
}

// besides is how the names begin that a file has before it is put in the place of another.
func besides(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new-")
}

// unfinished matches how they end: the length and the alphabet of rand.Text.
var unfinished = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// clearUnfinished removes what a kill has left of replacing a file. Whoever is about to replace it at this moment fails, and leaves it as it is.
func clearUnfinished(path string) {
	path = resolved(path)
	entries, _ := os.ReadDir(filepath.Dir(path)) // where nothing can be read, nothing was written
	for _, e := range entries {
		if end, found := strings.CutPrefix(e.Name(), filepath.Base(besides(path))); found && unfinished.MatchString(end) {
			_ = os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// writeLike writes a new file that is on disk when it returns, with the mode and the owner of another, if that exists, and with a mode that is given if not.
func writeLike(like, path string, text []byte, mode fs.FileMode) error {
	info, err := os.Stat(like)
	if err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil && info != nil {
		err = chownLike(f, info)
	}
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// removeFile removes a file, if it is there.
func removeFile(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

// resolved is where a path really leads, as far as it exists.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func digest(text []byte) string {
	if text == nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// writable reports whether this process may write an existing file, as the system sees it; nothing is written.
func writable(path string) bool {
	f, err := os.OpenFile(path, os.O_WRONLY|atOnce, 0)
	if err != nil {
		return false
	}
	return f.Close() == nil
}
