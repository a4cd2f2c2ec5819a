package intercept

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// halfPipe is a connection that can say that nothing more comes.
type halfPipe struct {
	net.Conn
	said bool
}

func (h *halfPipe) CloseWrite() error {
	h.said = true
	return nil
}

// A connection that parts says its last word and waits for its client to go, once, and not for long; any other is closed at once.
func TestParting_linger(t *testing.T) {
	for name, c := range map[string]struct {
		due, gone, stops bool
		before           time.Duration // the client says more, and goes then
		takes            time.Duration
	}{
		"not due":              {},
		"nobody goes":          {due: true, takes: farewellTime},
		"the client goes":      {due: true, gone: true, before: time.Second, takes: time.Second},
		"the guard stops":      {due: true, stops: true, before: time.Second, takes: time.Second},
		"the client is chatty": {due: true, before: time.Hour, takes: farewellTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				stopping, stop := context.WithCancel(t.Context())
				defer stop()
				done := make(chan struct{})
				go func() {
					defer close(done)
					for end := time.Now().Add(c.before); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
						if _, err := io.WriteString(far, "more"); err != nil {
							return
						}
					}
					if c.gone {
						_ = far.Close()
					}
					if c.stops {
						stop()
					}
				}()
				var p parting
				if c.due {
					p.part()
				}
				conn, began := &halfPipe{Conn: near}, time.Now()
				p.linger(stopping, conn)
				if took := time.Since(began).Round(100 * time.Millisecond); took != c.takes || conn.said != c.due || p.due() != c.due {
					t.Errorf("took %v, last words: %t, due: %t", took, conn.said, p.due())
				}
				conn.said, began = false, time.Now()
				p.linger(stopping, conn)
				if time.Since(began) != 0 || conn.said {
					t.Errorf("closing once more took %v, last words: %t", time.Since(began), conn.said)
				}
				_, _ = near.Close(), far.Close()
				<-done
			})
		})
	}
}
