package intercept

import (
	"io"
	"sync/atomic"
)

// farTLS is the far end of a tunnel that leads through a proxy which is spoken to in TLS. What ends there without TLS's good-bye has broken off (RFC 8446, section 6.1).
type farTLS struct {
	overTLS
	traffic *traffic
	broken  atomic.Bool // it ended otherwise than in good form
}

// Write implements net.Conn.
func (c *farTLS) Write(p []byte) (int, error) {
	n, err := c.overTLS.Write(p)
	return n, c.traffic.countStall(err)
}

// ReadFrom implements io.ReaderFrom.
func (c *farTLS) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(writerOnly{c}, r)
	passCut(c, r, err)
	return n, err
}

// WriteTo implements io.WriterTo.
func (c *farTLS) WriteTo(w io.Writer) (int64, error) {
	n, err := io.Copy(writerOnly{w}, c.overTLS)
	if isCut(err) || withoutGoodbye(c.Conn) {
		c.broken.Store(true)
		resetEnds(c, w)
	}
	return n, c.traffic.countStall(err)
}

// isBroken reports whether the far side has broken off.
func (c *farTLS) isBroken() bool { return c.broken.Load() }
