package certs

import (
	"crypto/x509"
	"fmt"
	"io/fs"
	"path/filepath"
)

// ReadRoot reads the root certificate of the authority in dir and returns the absolute path of its file. Unlike [Open] it needs no scope and makes
// and renews nothing, so it serves whoever only hands the root on. The root is judged as [Open] judges it.
//
// The errors to expect are [fs.ErrNotExist] if there is no authority, and [*DamagedError].
func ReadRoot(dir string) (*x509.Certificate, string, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		var none bool
		if none, err = absent(dir); none {
			err = fs.ErrNotExist
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading the root of the authority %q: %w", dir, err)
	}
	root, err := loadRoot(dir)
	return root, filepath.Join(dir, rootFile), err
}
