//go:build !windows

package certs

import (
	"fmt"
	"io/fs"
)

// checkMode refuses a file or directory that others than its owner may use in a way that forbidden names. It does not
// repair the mode: somebody may have read the key already, and only the operator can judge that.
func checkMode(path string, info fs.FileInfo, forbidden fs.FileMode) error {
	if info.Mode()&forbidden == 0 {
		return nil
	}
	want := "600"
	if info.IsDir() {
		want = "700"
	}
	return &DamagedError{
		Path:    path,
		Problem: fmt.Sprintf("has mode %#o, so others than its owner may use it", info.Mode().Perm()),
		Remedy: fmt.Sprintf("run: chmod %s %q; if somebody may have used it, "+
			"remove the directory instead to have a new authority made", want, path),
	}
}
