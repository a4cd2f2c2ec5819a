package intercept

import (
	"net"
	"net/http/httptrace"
	"sync"
	"syscall"
)

// awaitedConn is a TCP connection to upstream, or to a parent proxy, that knows whether its reader waits: then it has taken all that had come.
type awaitedConn struct {
	*net.TCPConn
	endSeen
	raw  syscall.RawConn
	take func(fd uintptr) bool

	into []byte // what a read that is under way reads into, and how it ended
	n    int
	err  error

	mu      sync.Mutex
	changed sync.Cond // waits or closed has
	waits   bool      // a read is under way, and there was nothing
	closed  bool
}

// awaited is c as an awaitedConn, where it can be one.
func awaited(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	a := &awaitedConn{TCPConn: tcp, raw: raw}
	a.changed.L, a.take = &a.mu, a.tryRead
	return a
}

// awaitReader is called with the connection that a request is about to go by, before net/http expects an answer on it. net/http (go1.26, transport.go: readLoop) has a connection used again before it
// has looked whether more has come than the answer: a body behind the answer to HEAD, or an answer that nobody asked for, would be the next client's, and each answer from there on another
// client's. So one that was used before goes on when its reader waits for more, inside TLS too; where there is more, net/http closes it, and asks over another. See decision 51.
func awaitReader(info httptrace.GotConnInfo) {
	far := notifyingConnOf(info)
	if far == nil || !info.Reused {
		return
	}
	c := far.Conn
	if g, ok := c.(*coalescingConn); ok {
		c = g.Conn
	}
	if p, ok := c.(overTLS); ok {
		c = p.NetConn()
	}
	if a, ok := c.(*awaitedConn); ok {
		a.awaitReader()
	}
}

func (c *awaitedConn) awaitReader() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && (!c.waits || c.readable()) {
		c.changed.Wait()
	}
}

// setWaits notes whether the reader waits. It is false before anything is taken.
func (c *awaitedConn) setWaits(waits bool) {
	c.mu.Lock()
	c.waits = waits
	c.mu.Unlock()
	c.changed.Broadcast()
}

// Close implements net.Conn.
func (c *awaitedConn) Close() error {
	err := c.TCPConn.Close()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.changed.Broadcast()
	return err
}
