package intercept

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// lived is something in the books that tells how old it became.
type lived struct {
	since time.Time
	age   chan time.Duration
	leave func(io.Closer)
}

func (l *lived) Close() error {
	l.leave(l)
	l.age <- time.Since(l.since)
	return nil
}

// What takes its time to end is closed and counted once.
func TestTraffic_retireOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var books traffic
		slow := &lived{time.Now(), make(chan time.Duration, 1<<10), func(io.Closer) {}}
		books.addTunnel(slow)
		books.addConn(slow)
		count := 0
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Hour)
		defer stop()
		books.retire(ctx, time.Hour, func(tunnels, conns int) { count += tunnels + conns })
		if count != 2 || len(slow.age) != 2 {
			t.Errorf("counted %d, closed %d, want one in each book", count, len(slow.age))
		}
	})
}

// A tunnel lives for a lifetime, and a connection for two, so that what is asked just before the first ends, a long poll even, has the second for its
// answer.
func TestTraffic_retire(t *testing.T) {
	for lifetime, ends := range map[time.Duration]bool{3 * time.Second: true, time.Hour: true, 24 * time.Hour: true, maxDuration: false, maxDuration/2 + 1: false} {
		synctest.Test(t, func(t *testing.T) {
			var books traffic
			tunnel := &lived{time.Now(), make(chan time.Duration, 1), books.removeTunnel}
			conn := &lived{time.Now(), make(chan time.Duration, 1), books.removeConn}
			left := &lived{time.Now(), make(chan time.Duration, 1), books.removeConn}
			books.addTunnel(tunnel)
			books.addConn(conn)
			books.addConn(left)
			books.removeConn(left)
			ctx, stop := context.WithCancel(t.Context())
			type count struct{ tunnels, conns int }
			counts := make(chan count, 8)
			done := make(chan struct{})
			go func() {
				defer close(done)
				books.retire(ctx, lifetime, func(tunnels, conns int) { counts <- count{tunnels, conns} })
			}()
			late := min(lifetime/60, time.Minute)
			if ends {
				if got := <-tunnel.age; got < lifetime || got > lifetime+late {
					t.Errorf("%s: a tunnel lived for %s", lifetime, got)
				}
				if got := <-conn.age; got < 2*lifetime || got > 2*lifetime+late {
					t.Errorf("%s: a connection lived for %s", lifetime, got)
				}
				if a, b := <-counts, <-counts; a != (count{1, 0}) || b != (count{0, 1}) {
					t.Errorf("%s: counted %v, %v", lifetime, a, b)
				}
			} else {
				time.Sleep(10 * 365 * 24 * time.Hour / 100)
			}
			stop()
			<-done
			if len(tunnel.age)+len(conn.age)+len(left.age)+len(counts) != 0 {
				t.Errorf("%s: something else was closed", lifetime)
			}
		})
	}
}

// A stop waits for calm, and then for the last: who is awaited holds up both. Who came by a connection from before is let in until then, and nobody else.
func TestTraffic_drain(t *testing.T) {
	var books traffic
	before := time.Now().Add(-time.Minute)
	if !books.enter() {
		t.Fatal("nobody is let in")
	}
	books.expect()
	calm, idle := books.drain()
	is := func(when string, wantCalm, wantIdle bool) {
		t.Helper()
		if isClosed(calm) != wantCalm || isClosed(idle) != wantIdle {
			t.Errorf("%s: calm %t, idle %t", when, isClosed(calm), isClosed(idle))
		}
	}
	is("somebody is awaited", false, false)
	if books.enter() || books.enterLast(time.Now().Add(time.Minute)) || !books.enterLast(before) {
		t.Error("who came before should be let in, and nobody else")
	}
	books.arrive()
	is("nobody is awaited", true, false)
	books.leave()
	books.addTunnel(io.NopCloser(nil))
	books.leave()
	is("a tunnel is left", true, false)
	books.removeTunnel(io.NopCloser(nil))
	is("nothing is left", true, true)
	if books.enterLast(before) {
		t.Error("somebody was let in behind the end")
	}
	if again, done := books.drain(); again != calm || done != idle {
		t.Error("a second stop waits for something else")
	}
	if calm, idle := new(traffic).drain(); !isClosed(calm) || !isClosed(idle) {
		t.Error("a stop waits although nothing is under way")
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
