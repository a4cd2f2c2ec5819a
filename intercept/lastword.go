package intercept

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// lastWord holds back from net/http that a client has ended its side while its request is being answered. net/http (go1.26, server.go: handleReadError) takes that for its departure, and cancels
// what was asked upstream; but a client may end its side behind its request and wait for the answer (nc -N, old clients). The two look alike, so for a while the
// end is not told. Whoever has left without waiting is missed then, or when something is written to him.
type lastWord struct {
	mu       sync.Mutex
	timed    bool // reads have a deadline
	overdue  bool // it has passed
	over     bool // the connection has ended
	unwanted chan struct{}
}

// lastWordTime is how long a client that has ended its side is waited for.
const lastWordTime = 10 * time.Second

// lastWordOf is that of the client's connection to a door, by which whoever cuts it off lets go who waits; of a connection that does not come from there it is a new one.
func lastWordOf(c net.Conn) *lastWord {
	for ; c != nil; c = beneath(c) {
		switch at := c.(type) {
		case *clientTCP:
			return &at.state.last
		case *clientConn:
			return &at.state.last
		}
	}
	return new(lastWord)
}

// withheld is err, with which a read of c ended by which net/http listens while it answers. The end of what the client says is told when net/http wants no more, which it says by a
// deadline, and then not as such; or when the client is not waited for any longer.
func (l *lastWord) withheld(p *Plugin, c net.Conn, err error) error {
	if err != io.EOF || withoutGoodbye(c) { //nolint:errorlint // as io.Reader has it
		return err
	}
	unwanted := l.await()
	most := time.NewTimer(p.patience)
	defer most.Stop()
	select {
	case <-unwanted:
		if l.isOver() {
			return net.ErrClosed
		}
		return os.ErrDeadlineExceeded
	case <-most.C:
	case <-p.ending.Done():
	}
	return err
}

// await returns what is closed when net/http wants no more, or the connection has ended.
func (l *lastWord) await() <-chan struct{} {
	unwanted := make(chan struct{})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unwanted = unwanted
	if l.overdue || l.over {
		l.release()
	}
	return unwanted
}

func (l *lastWord) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

// listens reports whether net/http (go1.26, server.go) reads while it answers: no read of a request is without a deadline then, where the server has a ReadHeaderTimeout.
func (l *lastWord) listens() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.timed
}

// noteDeadline is told of each deadline that is set for reads.
func (l *lastWord) noteDeadline(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timed = !t.IsZero()
	l.overdue = l.timed && !t.After(time.Now())
	if l.overdue {
		l.release()
	}
}

// end lets go whoever waits: the connection has ended.
func (l *lastWord) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.release()
}

func (l *lastWord) release() {
	if l.unwanted != nil {
		close(l.unwanted)
		l.unwanted = nil
	}
}
