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
	return &seats{Listener: l, most: most, taken: make(map[*seat]struct{})}
}

type seats struct {
	net.Listener
	most  int
	uses  atomic.Int64 // of all connections together; a clock can be set back
	mu    sync.Mutex
	taken map[*seat]struct{}
}

// Accept implements net.Listener.
func (s *seats) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	newcomer := &seat{Conn: c, of: s, from: whoAsks(c.RemoteAddr().String())}
	newcomer.use()
	if gone := s.take(newcomer); gone != nil {
		_ = gone.Close()
	}
	return newcomer, nil
}

// take gives the newcomer a seat, and returns whose it was.
func (s *seats) take(newcomer *seat) (gone *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.taken) >= s.most {
		gone = s.leastMissed()
		delete(s.taken, gone)
	}
	s.taken[newcomer] = struct{}{}
	return gone
}

func (s *seats) leastMissed() (least *seat) {
	of := make(map[netip.Prefix]int)
	for c := range s.taken {
		of[c.from]++
	}
	for c := range s.taken {
		if least == nil || of[c.from] > of[least.from] || of[c.from] == of[least.from] && c.used.Load() < least.used.Load() {
			least = c
		}
	}
	return least
}

// seat is a connection that counts.
type seat struct {
	net.Conn
	of   *seats
	from netip.Prefix
	used atomic.Int64
}

func (c *seat) use() { c.used.Store(c.of.uses.Add(1)) }

// Read implements net.Conn.
func (c *seat) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.use()
	return n, err
}

// Write implements net.Conn.
func (c *seat) Write(p []byte) (int, error) {
	c.use()
	return c.Conn.Write(p)
}

// Close implements net.Conn.
func (c *seat) Close() error {
	c.of.mu.Lock()
	delete(c.of.taken, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
