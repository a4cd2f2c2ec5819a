package console

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Bounded lets so many connections of l be there at once. Nobody waits for another to leave: clients keep connections for which they have no more use
// (browsers that of the PAC file, say), and whoever wants to keep others out keeps his own. Beyond the bound a newcomer takes the place of the
// connection that was used the longest ago, among those of the address that has the most.
func Bounded(l net.Listener, most int) net.Listener {
	return &boundedListener{Listener: l, most: most, conns: make(map[*boundedConn]struct{})}
}

type boundedListener struct {
	net.Listener
	most  int
	uses  atomic.Int64 // of all connections together; a clock can be set back
	mu    sync.Mutex
	conns map[*boundedConn]struct{}
}

// Accept implements net.Listener.
func (l *boundedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	newcomer := &boundedConn{Conn: c, of: l, from: clientNetwork(c.RemoteAddr().String())}
	newcomer.use()
	if gone := l.add(newcomer); gone != nil {
		_ = gone.Close()
	}
	return newcomer, nil
}

// add takes a newcomer in, and returns whose place it got.
func (l *boundedListener) add(newcomer *boundedConn) (gone *boundedConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) >= l.most {
		gone = l.leastUsed()
		delete(l.conns, gone)
	}
	l.conns[newcomer] = struct{}{}
	return gone
}

func (l *boundedListener) leastUsed() (least *boundedConn) {
	of := make(map[netip.Prefix]int)
	for c := range l.conns {
		of[c.from]++
	}
	for c := range l.conns {
		if least == nil || of[c.from] > of[least.from] || of[c.from] == of[least.from] && c.used.Load() < least.used.Load() {
			least = c
		}
	}
	return least
}

// boundedConn is a connection that counts.
type boundedConn struct {
	net.Conn
	of   *boundedListener
	from netip.Prefix
	used atomic.Int64
}

func (c *boundedConn) use() { c.used.Store(c.of.uses.Add(1)) }

// Read implements net.Conn.
func (c *boundedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.use()
	return n, err
}

// Write implements net.Conn.
func (c *boundedConn) Write(p []byte) (int, error) {
	c.use()
	return c.Conn.Write(p)
}

// Close implements net.Conn.
func (c *boundedConn) Close() error {
	c.of.mu.Lock()
	delete(c.of.conns, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
