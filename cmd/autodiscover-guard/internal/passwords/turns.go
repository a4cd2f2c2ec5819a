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
	// atOnce is how many hashes are computed at the same time, so that guessing does not take the whole computer.
	atOnce = 2
	// maxWaiting is how many attempts of one client wait for the one that is looked at. An address can be that of many people.
	maxWaiting = 16
)

// ErrTooMany says that a password was not even looked at, because too many others of the same client wait already.
var ErrTooMany = errors.New("too many log-ins of one client at once")

// turns share out the few computations that are made at a time. A client has one of them at most, and those who wait take turns: whoever sends
// guesses without end holds up nobody but himself. The zero value is ready for use.
type turns struct {
	mu      sync.Mutex
	running int
	lines   map[netip.Addr]*line // of clients with an attempt that runs or waits
	next    []*line              // lines in which somebody waits and nobody runs, in the order of their turns
}

// line are the attempts of one client.
type line struct {
	running *attempt
	waiting []*attempt
}

func (l *line) find(mark [sha256.Size]byte) *attempt {
	if l.running != nil && l.running.mark == mark {
		return l.running
	}
	if i := slices.IndexFunc(l.waiting, func(a *attempt) bool { return a.mark == mark }); i >= 0 {
		return l.waiting[i]
	}
	return nil
}

// attempt is a name and a password of one client. Requests that say the same at once share it: a browser logs in on all of its connections.
type attempt struct {
	client netip.Addr
	mark   [sha256.Size]byte
	is     func() bool
	askers int
	over   chan struct{} // closed when right is known
	right  bool
}

// ask returns what is returns, when it is the client's turn. mark tells attempts apart.
func (t *turns) ask(ctx context.Context, client netip.Addr, mark [sha256.Size]byte, is func() bool) (bool, error) {
	a := t.join(client, mark, is)
	if a == nil {
		return false, ErrTooMany
	}
	select {
	case <-a.over:
		return a.right, nil
	case <-ctx.Done():
		t.leave(a)
		return false, ctx.Err()
	}
}

// join is the attempt that is under way, or a new one; nil if too many are.
func (t *turns) join(client netip.Addr, mark [sha256.Size]byte, is func() bool) *attempt {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[client]
	if l == nil {
		l = new(line)
		if t.lines == nil {
			t.lines = make(map[netip.Addr]*line)
		}
		t.lines[client] = l
	}
	if a := l.find(mark); a != nil {
		a.askers++
		return a
	}
	if len(l.waiting) >= maxWaiting {
		return nil
	}
	a := &attempt{client: client, mark: mark, is: is, askers: 1, over: make(chan struct{})}
	l.waiting = append(l.waiting, a)
	if l.running == nil && len(l.waiting) == 1 {
		t.next = append(t.next, l)
	}
	t.start()
	return a
}

// leave takes one asker from an attempt. Nobody waits for what nobody asks any more; what runs cannot be stopped.
func (t *turns) leave(a *attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.askers--
	l := t.lines[a.client]
	if a.askers > 0 || l == nil {
		return
	}
	i := slices.Index(l.waiting, a)
	if i < 0 {
		return
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	if l.running == nil && len(l.waiting) == 0 {
		t.next = slices.DeleteFunc(t.next, func(other *line) bool { return other == l })
		delete(t.lines, a.client)
	}
}

// start begins as many computations as may run.
func (t *turns) start() {
	for t.running < atOnce && len(t.next) > 0 {
		l := t.next[0]
		t.next = slices.Delete(t.next, 0, 1)
		l.running = l.waiting[0]
		l.waiting = slices.Delete(l.waiting, 0, 1)
		t.running++
		go t.run(l)
	}
}

func (t *turns) run(l *line) {
	a := l.running
	a.right = a.is()
	t.mu.Lock()
	defer t.mu.Unlock()
	close(a.over)
	t.running--
	l.running = nil
	if len(l.waiting) > 0 {
		t.next = append(t.next, l)
	} else {
		delete(t.lines, a.client)
	}
	t.start()
}
