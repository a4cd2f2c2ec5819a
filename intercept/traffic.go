package intercept

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// traffic knows what is under way: requests that a door has let in, tunnels, and the connections of clients. A stop waits for the first two;
// http.Server.Shutdown knows nothing of connections that were hijacked, and returns while they run. Tunnels end when they have lived for
// Limits.Lifetime, and connections, whatever is under way in them, when they have lived for twice as long: by then they were told to close
// behind their next answer, and no answer has ended since.
type traffic struct {
	mu           sync.Mutex
	inFlight     int                     // requests, and what else a stop waits for
	expected     int                     // of those in flight: requests that are to come
	tunnels      map[io.Closer]time.Time // since when
	conns        map[io.Closer]time.Time // since when; to stop them is their server's business
	allArrived   chan struct{}           // made by drain, closed when nobody is awaited
	idle         chan struct{}           // made by drain, closed when nothing is left
	stopped      time.Time               // when drain was called
	noneExpected bool
	done         bool
	stalled      atomic.Int64 // what was given up because its other side took nothing
}

// enter lets a request in; it reports false when the plugin is stopping.
func (t *traffic) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.idle != nil {
		return false
	}
	t.inFlight++
	return true
}

// enterLast lets a request in although the plugin is stopping, because its connection was there before: no load balancer can send it to anybody else any
// more. Whoever calls it has to end the connection behind the answer. It reports false when everything has ended, and of a connection that came later.
func (t *traffic) enterLast(since time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done || !since.Before(t.stopped) {
		return false
	}
	t.inFlight++
	return true
}

// expect counts a request that is to come, on behalf of somebody who has entered; arrive is called when it has come, or never will.
func (t *traffic) expect() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight++
	t.expected++
}

func (t *traffic) arrive() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight--
	t.expected--
	t.settle()
}

func (t *traffic) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight--
	t.settle()
}

// addTunnel tracks a tunnel; its Close must make its owner call removeTunnel.
func (t *traffic) addTunnel(tunnel io.Closer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	addNow(&t.tunnels, tunnel)
}

func (t *traffic) removeTunnel(tunnel io.Closer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tunnels, tunnel)
	t.settle()
}

// addConn tracks a client's connection; its Close must make its owner call removeConn.
func (t *traffic) addConn(conn io.Closer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	addNow(&t.conns, conn)
}

func (t *traffic) removeConn(conn io.Closer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, conn)
}

// requestExpected reports whether a request is about to come on any connection.
func (t *traffic) requestExpected() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.conns {
		if a, ok := c.(interface{ expectsRequest() bool }); ok && a.expectsRequest() {
			return true
		}
	}
	return false
}

func addNow(all *map[io.Closer]time.Time, c io.Closer) {
	if *all == nil {
		*all = make(map[io.Closer]time.Time)
	}
	(*all)[c] = time.Now()
}

// drain lets nobody in any more. allArrived is closed when no request is expected, idle when nothing is in flight and no tunnel is left.
func (t *traffic) drain() (allArrived, idle <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.idle == nil {
		t.allArrived, t.idle, t.stopped = make(chan struct{}), make(chan struct{}), time.Now()
	}
	t.settle()
	return t.allArrived, t.idle
}

func (t *traffic) settle() {
	if t.idle == nil {
		return
	}
	if !t.noneExpected && t.expected == 0 {
		t.noneExpected = true
		close(t.allArrived)
	}
	if !t.done && t.inFlight == 0 && len(t.tunnels) == 0 {
		t.done = true
		close(t.idle)
	}
}

// closeAll closes all tunnels.
func (t *traffic) closeAll() { t.closeOlder(&t.tunnels, 0) }

// closeOlder closes what has lived for at least the given time, and returns how many there were.
func (t *traffic) closeOlder(all *map[io.Closer]time.Time, age time.Duration) int {
	now := time.Now()
	old := make([]io.Closer, 0, 16)
	t.mu.Lock()
	for c, since := range *all {
		if now.Sub(since) >= age {
			old = append(old, c)
			delete(*all, c) // what takes its time to end is not counted once more; whoever waits for it has it counted in flight, or waits for Close
		}
	}
	t.mu.Unlock()
	for _, c := range old {
		_ = c.Close() // which leads to removeTunnel or removeConn, and they to settle
	}
	return len(old)
}

// retire closes what has lived too long, until ending is done.
func (t *traffic) retire(ending context.Context, lifetime time.Duration, retired func(tunnels, conns int)) {
	tick := time.NewTicker(min(max(lifetime/60, 10*time.Millisecond), time.Minute))
	defer tick.Stop()
	for {
		select {
		case <-ending.Done():
			return
		case <-tick.C:
			// A tunnel's connection is removed with it and is not counted once more.
			tunnels := t.closeOlder(&t.tunnels, lifetime)
			if conns := t.closeOlder(&t.conns, twice(lifetime)); tunnels+conns > 0 {
				retired(tunnels, conns)
			}
		}
	}
}

// twice is as long again, or as long as there is.
func twice(d time.Duration) time.Duration {
	if d > maxDuration/2 {
		return maxDuration
	}
	return 2 * d
}

const maxDuration = time.Duration(1<<63 - 1)
