//go:build unix

package record

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// take marks an open file as this process's for as long as it is open, its alone where it may move it aside, and reports false where another process is in the
// way. A file system that knows no locks leaves everybody alone.
func take(f *os.File, alone bool) bool {
	how := unix.LOCK_SH
	if alone {
		how = unix.LOCK_EX
	}
	return !errors.Is(unix.Flock(int(f.Fd()), how|unix.LOCK_NB), unix.EWOULDBLOCK)
}
