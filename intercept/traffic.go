package intercept

import (
	"net"
	"sync"
)

// traffic counts what is under way, so that a stop can wait for it: requests that a door has let in, and connections that left net/http's
// books because they were hijacked. http.Server.Shutdown knows nothing of the latter and returns while they run.
type traffic struct {
	mu       sync.Mutex
	flights  int
	hijacked map[net.Conn]struct{}
	idle     chan struct{} // made by drain, closed when nothing is left
	done     bool
}

// enter lets a request in; it reports false when the plugin is stopping.
func (t *traffic) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.idle != nil {
		return false
	}
	t.flights++
	return true
}

func (t *traffic) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flights--
	t.settle()
}

// add takes a hijacked connection into the books; its Close must call remove.
func (t *traffic) add(c net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hijacked == nil {
		t.hijacked = make(map[net.Conn]struct{})
	}
	t.hijacked[c] = struct{}{}
}

func (t *traffic) remove(c net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.hijacked, c)
	t.settle()
}

// drain lets nobody in any more and returns a channel that is closed when everything is done.
func (t *traffic) drain() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	t.settle()
	return t.idle
}

func (t *traffic) settle() {
	if t.idle != nil && !t.done && t.flights == 0 && len(t.hijacked) == 0 {
		t.done = true
		close(t.idle)
	}
}

func (t *traffic) closeAll() {
	t.mu.Lock()
	conns := make([]net.Conn, 0, len(t.hijacked))
	for c := range t.hijacked {
		conns = append(conns, c)
	}
	t.mu.Unlock()
	for _, c := range conns {
		_ = c.Close() // calls remove
	}
}
