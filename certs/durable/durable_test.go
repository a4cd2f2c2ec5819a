//go:build !windows

package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"autodiscover-guard/certs/durable"
)

// A directory that is gone is told as such: whoever removed the last file in it may have removed it, too.
func TestSyncDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := durable.SyncDir(dir); err != nil {
		t.Error(err)
	}
	if err := durable.SyncDir(filepath.Join(dir, "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that there is none", err)
	}
	closed, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := durable.Sync(closed); !errors.Is(err, fs.ErrClosed) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want the directory's name and that it is closed", err)
	}
}
