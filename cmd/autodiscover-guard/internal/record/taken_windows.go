package record

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// take marks an open file as this process's for as long as it is open, its alone where it may move it aside, and reports false where another process is in the
// way. What is locked nobody else can read here: it is a byte that no file has.
func take(f *os.File, alone bool) bool {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if alone {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	at := windows.Overlapped{Offset: math.MaxUint32, OffsetHigh: math.MaxInt32 - 1}
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &at)
	return !errors.Is(err, windows.ERROR_LOCK_VIOLATION)
}
