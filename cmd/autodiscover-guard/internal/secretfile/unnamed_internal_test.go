package secretfile

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Behind a directory that is closed to us the file may be: nobody is told then to name another, nor its name.
func TestUnnamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for cause, advice := range map[error]string{fs.ErrNotExist: "; want the name of a file that holds the secret (what stands ", fs.ErrPermission: " (what stands "} {
		path := filepath.Join(dir, "s3cret")
		err := unnamed(path, &fs.PathError{Op: "open", Path: path, Err: cause})
		if !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), "open "+filepath.Join(dir, "…")+": "+cause.Error()+advice) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v: got %v", cause, err)
		}
	}
}
