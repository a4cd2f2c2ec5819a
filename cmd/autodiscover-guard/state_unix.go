//go:build unix

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// How a lock is taken.
const (
	exclusively = unix.LOCK_EX
	shared      = unix.LOCK_SH
)

// lockFile takes the file for this process until it is closed.
func lockFile(f *os.File, how int) error {
	err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errLocked
	}
	return err
}
