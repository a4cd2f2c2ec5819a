//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// privateFile refuses a file with a secret that others can read.
func privateFile(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s can be read by others (mode %04o); want chmod 600", name, mode)
	}
	return nil
}

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
