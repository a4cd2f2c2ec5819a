package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Replace puts a file that is its owner's alone in the place of another, or of none. Whoever reads it, after a loss of power too, finds one of the two,
// whole; when it returns without an error that is the new one.
func Replace(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".new-") // mode 0600
	if err != nil {
		return fmt.Errorf("replacing %q: %w", name, err)
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("replacing %q: %w", name, err)
	}
	return SyncDir(filepath.Dir(name))
}
