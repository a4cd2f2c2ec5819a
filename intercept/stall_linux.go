package intercept

import (
	"math"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// boundStall has the kernel give a connection up whose other side acknowledges nothing, or has no room, while bytes wait for it (tcp(7), TCP_USER_TIMEOUT).
// Each byte that is taken begins the time anew, and where none waits there is no time. It replaces the count of unanswered keep-alive probes, too, so that who
// has gone without a word is noticed after the same time. It reports false for sockets that are not TCP.
func boundStall(c syscall.RawConn, most time.Duration) bool {
	ms := int(min(max(most.Milliseconds(), 1), math.MaxInt32)) // zero would be the system's default
	var refused error
	err := c.Control(func(fd uintptr) { refused = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, ms) })
	return err == nil && refused == nil
}
