//go:build unix

package intercept

import (
	"errors"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Read implements net.Conn, as package net does, but for its telling when it waits. One goroutine reads at a time.
func (c *awaitedConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.into = p
	err := c.raw.Read(c.take)
	c.into = nil
	switch {
	case err != nil: // it was closed, or is overdue
		c.setWaits(false)
		return 0, err
	case c.err != nil:
		return 0, &net.OpError{Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError("read", c.err)}
	case c.n == 0:
		c.note(true)
		return 0, io.EOF
	}
	return c.n, nil
}

// tryRead reports whether the read has ended; where not, the poller waits.
func (c *awaitedConn) tryRead(fd uintptr) bool {
	c.setWaits(false)
	for {
		c.n, c.err = unix.Read(int(fd), c.into)
		if !errors.Is(c.err, unix.EINTR) {
			break
		}
	}
	if !errors.Is(c.err, unix.EAGAIN) {
		return true
	}
	c.setWaits(true)
	return false
}

// readable reports whether something has come since the reader began to wait.
func (c *awaitedConn) readable() (yes bool) {
	_ = c.raw.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0) //nolint:gosec // descriptors are int32
		yes = err == nil && n > 0
	})
	return yes
}
