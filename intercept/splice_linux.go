package intercept

import (
	"errors"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// splice moves what comes from src on to dst until src ends, like io.Copy, by splice(2), without its passing through our memory. net holds a pipe, which is two
// descriptors, from before it waits for the first byte to the end of the connection (go1.26, internal/poll/splice_linux.go): four for a tunnel
// in which nothing moves. Here the wait comes first, and the pipe is for the bytes that are there.
func splice(dst, src *net.TCPConn) (moved int64, err error) {
	raw, err := src.SyscallConn()
	if err != nil {
		return 0, err
	}
	var a arrival
	ready := a.look // one for all waits
	some := io.LimitedReader{R: src}
	for {
		err := raw.Read(ready)
		if err == nil && a.err != nil {
			err = os.NewSyscallError("recvfrom", a.err)
		}
		if a.bytes <= 0 || err != nil {
			return moved, err
		}
		some.N = int64(a.bytes)
		n, err := dst.ReadFrom(&some)
		moved += n
		if err != nil {
			return moved, err
		}
	}
}

// arrival is what has come in and was not read yet: no bytes, where the other side has ended.
type arrival struct {
	first [1]byte
	bytes int
	err   error
}

// look reports whether there is something to be said; where not, the poller waits.
func (a *arrival) look(fd uintptr) bool {
	for {
		a.bytes, _, a.err = unix.Recvfrom(int(fd), a.first[:], unix.MSG_PEEK)
		if !errors.Is(a.err, unix.EINTR) {
			break
		}
	}
	if a.err == nil && a.bytes > 0 { // one byte is certain; the kernel's count stops at an urgent one (tcp_inq)
		if all, err := unix.IoctlGetInt(int(fd), unix.SIOCINQ); err == nil {
			a.bytes = max(a.bytes, all)
		}
	}
	return !errors.Is(a.err, unix.EAGAIN)
}
