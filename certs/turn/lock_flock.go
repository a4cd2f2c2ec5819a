//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package turn

import (
	"errors"
	"os"
	"syscall"
)

// lock locks an open directory until it is closed, without waiting.
func lock(dir *os.File) error {
	err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrTaken
	}
	return err
}
