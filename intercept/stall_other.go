//go:build !linux

package intercept

import (
	"syscall"
	"time"
)

// boundStall has nothing to ask for: no other system bounds how long the other side may have no room.
func boundStall(syscall.RawConn, time.Duration) bool { return true }
