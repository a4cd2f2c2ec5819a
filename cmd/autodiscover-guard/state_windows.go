package main

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// How a lock is taken.
const (
	exclusively = windows.LOCKFILE_EXCLUSIVE_LOCK
	shared      = 0
)

// lockFile takes the file for this process until it is closed.
func lockFile(f *os.File, how uint32) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), how|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}
