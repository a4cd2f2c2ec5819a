//go:build !unix

package intercept

import "io"

// Read implements net.Conn. What comes in the moment in which it begins is not told from what comes later.
func (c *awaitedConn) Read(p []byte) (int, error) {
	c.setWaits(true)
	n, err := c.TCPConn.Read(p)
	c.setWaits(false)
	c.note(err == io.EOF) //nolint:errorlint // as io.Reader has it
	return n, err
}

func (c *awaitedConn) tryRead(uintptr) bool { return true }

func (c *awaitedConn) readable() bool { return false }
