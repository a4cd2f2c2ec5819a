//go:build !windows

// Package durable has the names in a directory survive a loss of power: to flush a file that was renamed is not enough, for it may come back under its
// former name, or under none (fsync(2)). On Windows, where a directory cannot be flushed and NTFS journals renames, nothing is done for that.
package durable

import (
	"fmt"
	"os"
)

// SyncDir flushes the directory of that name. It returns when what was made, renamed or removed in it before is on disk.
func SyncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return Sync(dir)
}

// Sync is [SyncDir] of a directory that is open.
func Sync(dir *os.File) error {
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("syncing %q: %w", dir.Name(), err)
	}
	return nil
}
