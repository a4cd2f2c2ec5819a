package intercept

import (
	"errors"
	"net"
	"slices"

	"go.uber.org/zap"
)

// Out of descriptors or memory, the guard goes on with what runs. New connections wait in the system's queue, because net/http and the transparent
// door try again; what would need a new upstream connection is refused; and when there are descriptors again, nothing has to be told.

// OutOfResources reports whether an error is the system's want of something that others give back, descriptors, memory or space on a disk, and so nobody's fault on the
// far side, and over without anybody's help.
func OutOfResources(err error) bool {
	return slices.ContainsFunc(resourceErrors, func(want error) bool { return errors.Is(err, want) })
}

// outOfPorts reports whether all ports of this computer are in use for connections to a host. Of an IPv6 address the system says the same where it has no address of
// that kind itself (Linux with disable_ipv6).
func outOfPorts(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || !errors.Is(err, errNoPort) {
		return false
	}
	to, ok := op.Addr.(*net.TCPAddr)
	return ok && op.Op == "dial" && to.IP.To4() != nil
}

// acceptFailed counts and tells that a connection could not be accepted. A listener that is closed has not failed.
func (p *Plugin) acceptFailed(err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	n := p.refused.accepts.Add(1)
	if p.acceptLog.due() {
		p.logger.Warn("accepting failed", zap.Error(err), zap.Int64("times", n))
	}
}
