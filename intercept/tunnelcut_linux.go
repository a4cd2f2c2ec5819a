package intercept

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// awaitSent waits until what was written to c has arrived, for a while at most: a reset takes back what has not. It reports whether that can be known.
func awaitSent(c net.Conn) bool {
	for next := c; next != nil; next = beneath(c) {
		c = next
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return true
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return true
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(lingerTime); time.Now().Before(end); <-tick.C {
		left := 0
		if err := raw.Control(func(fd uintptr) { left, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); err != nil || left == 0 {
			break
		}
	}
	return true
}
