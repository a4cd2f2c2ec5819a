//go:build !linux

package intercept

import (
	"context"
	"errors"
	"net"
	"net/netip"
)

// originalDestination is nil: other systems tell it to their packet filter's own programs only.
var originalDestination func(*net.TCPConn) (netip.AddrPort, error)

// fromTPROXY is false: only Linux has TPROXY.
func fromTPROXY(*net.TCPConn) bool { return false }

// ListenTPROXY is for Linux, and fails elsewhere.
func ListenTPROXY(context.Context, string) (net.Listener, error) {
	return nil, errors.New("listening for TPROXY: only Linux has it")
}
