package intercept

import (
	"crypto/tls"
	"net"
	"sync/atomic"
)

// endSeen is of a connection below TLS, and knows whether a read of it came to its end.
type endSeen struct{ seen atomic.Bool }

// note is told how a read has ended.
func (e *endSeen) note(ended bool) {
	if ended {
		e.seen.Store(true)
	}
}

func (e *endSeen) hasEnded() bool { return e.seen.Load() }

// withoutGoodbye reports whether TLS whose reads have come to their end did so without its good-bye, which alone tells a whole from a part (RFC 8446, section 6.1). crypto/tls (go1.26, conn.go:
// readRecordOrCCS) takes the end of the connection below for one, too, where no record was begun. Behind a good-bye nobody reads that far.
func withoutGoodbye(c net.Conn) bool {
	t, ok := c.(*tls.Conn)
	if !ok {
		return false
	}
	below, ok := t.NetConn().(interface{ hasEnded() bool })
	return ok && below.hasEnded()
}
