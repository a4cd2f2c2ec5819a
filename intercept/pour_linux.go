package intercept

import (
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// pour moves what comes from src on to dst until src ends, like io.Copy, without its passing through our memory. net holds a pipe, which is two
// descriptors, from before it waits for the first byte to the end of the connection (go1.26, internal/poll/splice_linux.go): four for a tunnel
// in which nothing moves. Here the wait comes first, and the pipe is for the bytes that are there.
func pour(dst, src *net.TCPConn) (moved int64, err error) {
	raw, err := src.SyscallConn()
	if err != nil {
		return 0, err
	}
	for {
		n, err := await(raw)
		if n == 0 || err != nil {
			return moved, err
		}
		m, err := dst.ReadFrom(&io.LimitedReader{R: src, N: int64(n)})
		moved += m
		if err != nil {
			return moved, err
		}
	}
}

// await waits until something can be read and returns how much; nothing, where the other side has ended.
func await(raw syscall.RawConn) (n int, err error) {
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		var first [1]byte
		for {
			n, _, failed = unix.Recvfrom(int(fd), first[:], unix.MSG_PEEK)
			if failed != unix.EINTR {
				break
			}
		}
		if failed == nil && n > 0 { // one byte is certain; the kernel's count stops at an urgent one (tcp_inq)
			if all, err := unix.IoctlGetInt(int(fd), unix.SIOCINQ); err == nil {
				n = max(n, all)
			}
		}
		return failed != unix.EAGAIN
	})
	if err == nil && failed != nil {
		err = os.NewSyscallError("recvfrom", failed)
	}
	return max(n, 0), err
}
