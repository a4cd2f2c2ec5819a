//go:build !windows

package passwords

import (
	"fmt"
	"os"
)

// notWritableByOthers refuses a file into which somebody else could write himself.
func notWritableByOthers(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("%s: others can write it (mode %04o); want chmod go-w", f.Name(), mode)
	}
	return nil
}
