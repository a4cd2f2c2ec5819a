package intercept

import (
	"context"
	"net"
	"sync"
	"time"
)

// traffic counts what is under way, so that a stop can wait for it: requests that a door has let in, and connections that left net/http's
// books because they were hijacked. http.Server.Shutdown knows nothing of the latter and returns while they run.
type traffic struct {
	mu       sync.Mutex
	flights  int
	hijacked map[net.Conn]time.Time // since when
	idle     chan struct{}          // made by drain, closed when nothing is left
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
		t.hijacked = make(map[net.Conn]time.Time)
	}
	t.hijacked[c] = time.Now()
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

func (t *traffic) closeAll() { t.closeOlder(0) }

// closeOlder closes the hijacked connections that have lived for at least the given time, and returns how many.
func (t *traffic) closeOlder(age time.Duration) int {
	t.mu.Lock()
	conns := make([]net.Conn, 0, 16)
	for c, since := range t.hijacked {
		if time.Since(since) >= age {
			conns = append(conns, c)
		}
	}
	t.mu.Unlock()
	for _, c := range conns {
		_ = c.Close() // calls remove
	}
	return len(conns)
}

// retire closes tunnels that have lived longer than lifetime, until stopping ends.
func (t *traffic) retire(stopping context.Context, lifetime time.Duration, retired func(n int)) {
	tick := time.NewTicker(min(max(lifetime/60, 10*time.Millisecond), time.Minute))
	defer tick.Stop()
	for {
		select {
		case <-stopping.Done():
			return
		case <-tick.C:
			if n := t.closeOlder(lifetime); n > 0 {
				retired(n)
			}
		}
	}
}
