//go:build unix

package truststore

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// chownLike gives a file the owner and the group of another.
func chownLike(f *os.File, like fs.FileInfo) error {
	stat, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	if own, ok := mine.Sys().(*syscall.Stat_t); ok && own.Uid == stat.Uid && own.Gid == stat.Gid {
		return nil
	}
	return f.Chown(int(stat.Uid), int(stat.Gid))
}

// syncDir makes renames and new names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("syncing %q: %w", dir, err)
	}
	return nil
}
