//go:build !linux

package intercept

import (
	"io"
	"net"
)

// splice moves what comes from src on to dst until src ends.
func splice(dst, src *net.TCPConn) (moved int64, err error) {
	return io.Copy(dst, src)
}
