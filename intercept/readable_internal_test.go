//go:build unix

package intercept

import (
	"io"
	"sync/atomic"
	"testing"
	"time"
)

// What has come since the reader began to wait is taken before the connection is anybody's; and who waits for that hears when the connection is closed.
func TestAwaitReader_whatHasCome(t *testing.T) {
	near, far := tcpPair(t)
	defer far.Close()
	c := awaited(near).(*awaitedConn)
	c.setWaits(true)
	c.awaitReader() // nothing has come
	_, _ = io.WriteString(far, "x")
	for end := time.Now().Add(10 * time.Second); !c.readable(); {
		if time.Now().After(end) {
			t.Fatal("nothing comes")
		}
	}
	for _, step := range []struct {
		what  string
		waits bool
		end   func()
	}{
		{"is taken", true, func() { _, _ = c.TCPConn.Read(make([]byte, 1)); c.setWaits(true) }},
		{"is not taken", false, func() { _ = c.Close() }},
	} {
		c.setWaits(step.waits)
		var ended atomic.Bool
		begun, over := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(over)
			close(begun)
			if c.awaitReader(); !ended.Load() {
				t.Errorf("what has come %s, and nobody waited for that", step.what)
			}
		}()
		<-begun
		ended.Store(true)
		step.end()
		select {
		case <-over:
		case <-time.After(10 * time.Second):
			t.Fatalf("what has come %s, and it is waited for all the same", step.what)
		}
	}
}
