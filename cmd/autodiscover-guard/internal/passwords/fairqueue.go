package passwords

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"slices"
	"sync"
)

const (
	// maxConcurrent is how many hashes are computed at the same time, so that guessing does not take the whole computer.
	maxConcurrent = 2
	// maxWaiting is how many attempts of one client wait for the one that is looked at. An address can be that of many people.
	maxWaiting = 16
)

// ErrTooMany says that a password was not even looked at, because too many others of the same client wait already.
var ErrTooMany = errors.New("too many log-ins of one client at once")

// fairQueue shares out the few computations that are made at a time. A client has one of them at most, and those who wait take turns: whoever sends
// guesses without end holds up nobody but himself. The zero value is ready for use.
type fairQueue struct {
	mu      sync.Mutex
	running int
	clients map[netip.Addr]*clientQueue // of clients with an attempt that runs or waits
	ready   []*clientQueue              // those in which somebody waits and nobody runs, in the order of their turns
}

// clientQueue are the attempts of one client.
type clientQueue struct {
	running *attempt
	waiting []*attempt
}

func (l *clientQueue) find(digest [sha256.Size]byte) *attempt {
	if l.running != nil && l.running.digest == digest {
		return l.running
	}
	if i := slices.IndexFunc(l.waiting, func(a *attempt) bool { return a.digest == digest }); i >= 0 {
		return l.waiting[i]
	}
	return nil
}

// attempt is a name and a password of one client. Requests that say the same at once share it: a browser logs in on all of its connections.
type attempt struct {
	client  netip.Addr
	digest  [sha256.Size]byte
	verify  func() bool
	waiters int
	done    chan struct{} // closed when right is known
	right   bool
}

// ask returns what verify returns, when it is the client's turn. digest tells attempts apart.
func (t *fairQueue) ask(ctx context.Context, client netip.Addr, digest [sha256.Size]byte, verify func() bool) (bool, error) {
	a := t.join(client, digest, verify)
	if a == nil {
		return false, ErrTooMany
	}
	select {
	case <-a.done:
		return a.right, nil
	case <-ctx.Done():
		t.leave(a)
		return false, ctx.Err()
	}
}

// join is the attempt that is under way, or a new one; nil if too many are.
func (t *fairQueue) join(client netip.Addr, digest [sha256.Size]byte, verify func() bool) *attempt {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.clients[client]
	if l == nil {
		l = new(clientQueue)
		if t.clients == nil {
			t.clients = make(map[netip.Addr]*clientQueue)
		}
		t.clients[client] = l
	}
	if a := l.find(digest); a != nil {
		a.waiters++
		return a
	}
	if len(l.waiting) >= maxWaiting {
		return nil
	}
	a := &attempt{client: client, digest: digest, verify: verify, waiters: 1, done: make(chan struct{})}
	l.waiting = append(l.waiting, a)
	if l.running == nil && len(l.waiting) == 1 {
		t.ready = append(t.ready, l)
	}
	t.start()
	return a
}

// leave takes one waiter from an attempt. Nobody waits for what nobody asks any more; what runs cannot be stopped.
func (t *fairQueue) leave(a *attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.waiters--
	l := t.clients[a.client]
	if a.waiters > 0 || l == nil {
		return
	}
	i := slices.Index(l.waiting, a)
	if i < 0 {
		return
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	if l.running == nil && len(l.waiting) == 0 {
		t.ready = slices.DeleteFunc(t.ready, func(other *clientQueue) bool { return other == l })
		delete(t.clients, a.client)
	}
}

// start begins as many computations as may run.
func (t *fairQueue) start() {
	for t.running < maxConcurrent && len(t.ready) > 0 {
		l := t.ready[0]
		t.ready = slices.Delete(t.ready, 0, 1)
		l.running = l.waiting[0]
		l.waiting = slices.Delete(l.waiting, 0, 1)
		t.running++
		go t.run(l)
	}
}

func (t *fairQueue) run(l *clientQueue) {
	a := l.running
	a.right = a.verify()
	t.mu.Lock()
	defer t.mu.Unlock()
	close(a.done)
	t.running--
	l.running = nil
	if len(l.waiting) > 0 {
		t.ready = append(t.ready, l)
	} else {
		delete(t.clients, a.client)
	}
	t.start()
}
