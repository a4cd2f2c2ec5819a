package intercept

import (
	"errors"
	"net"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// Out of descriptors or memory, the guard goes on with what runs. New connections wait in the system's queue, because net/http and the transparent
// door try again; what would need a new upstream connection is refused; and when there are descriptors again, nothing has to be told.

// scarce reports whether an error is the system's want of something, and nobody's fault on the far side.
func scarce(err error) bool {
	for _, want := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

// complaintEvery is how often the log hears that nobody can be accepted: each failure is counted.
const complaintEvery = 10 * time.Second

// acceptFailed counts and tells that a connection could not be accepted. A listener that is closed has not failed.
func (p *Plugin) acceptFailed(err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	n := p.refused.accepts.Add(1)
	now := time.Now()
	if last := p.complained.Load(); (last == nil || now.Sub(*last) > complaintEvery) && p.complained.CompareAndSwap(last, &now) {
		p.logger.Warn("accepting failed", zap.Error(err), zap.Int64("times", n))
	}
}
