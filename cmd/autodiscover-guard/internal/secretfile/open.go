// Package secretfile opens files with a secret in them: tokens, keys, passwords and their hashes.
//
// Whoever may read such a file has what is in it, so there is one rule for all of them (decision 52): nobody but its owner may use it, and of one that belongs
// to root the members of its group may read it. That is how a service manager and an orchestrator hand a secret to a user without rights: systemd's credentials
// are root's, with an entry for the service's user in the access list, which shows as the group's right; a volume of Kubernetes is root's and
// readable for fsGroup. A user's own file with a group has whatever group the user happens to be in.
package secretfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"autodiscover-guard/cmd/autodiscover-guard/internal/namedpipe"
)

// Open opens the file for reading. What is opened is what was judged: another file may be in its place by then.
//
// The error of a file that is not there ([fs.ErrNotExist], as a rule) names the directory alone: whoever writes the secret itself where its file's name belongs
// (proxy_credentials: user:password) would find it in the system's log.
func Open(path string) (*os.File, error) {
	f, err := namedpipe.Open(path)
	if err != nil {
		return nil, unnamed(path, err)
	}
	if err := judge(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// unnamed takes the name out of an error where nothing is called so, as far as can be seen.
func unnamed(path string, err error) error {
	var failed *fs.PathError
	if _, absent := os.Lstat(path); absent == nil || !errors.As(err, &failed) {
		return err
	}
	dir := filepath.Dir(path)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) { // a secret may have slashes in it
		if _, err := os.Lstat(dir); err == nil {
			break
		}
	}
	failed = &fs.PathError{Op: failed.Op, Path: filepath.Join(dir, "…"), Err: failed.Err}
	if errors.Is(failed, fs.ErrPermission) { // the file may be there, behind a directory that is closed to us
		return fmt.Errorf("%w (what stands there is not repeated, in case it is the secret itself)", failed)
	}
	return fmt.Errorf("%w; want the name of a file that holds the secret (what stands there is not repeated, in case it is the secret itself)", failed)
}
