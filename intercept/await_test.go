package intercept_test

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// waitedInVain is how often nothing came.
var waitedInVain atomic.Int32

// enough is for how long a test waits, on a machine that has much else to do, for what takes moments. Where several have waited in vain, the others wait for
// less: the run has failed, and a fault that all of them meet should be told before the binary's time is up.
func enough() time.Duration {
	if waitedInVain.Load() < 3 {
		return 30 * time.Second
	}
	return 100 * time.Millisecond
}

// await is a receive that fails the test where nothing comes: what should have sent has failed, and the test would wait until its binary is ended. It is for the
// test's own goroutine.
func await[T any](tb testing.TB, from <-chan T) (v T) {
	tb.Helper()
	limit := enough()
	select {
	case v = <-from:
	case <-time.After(limit):
		vain(tb, "nothing came for %v", limit)
	}
	return v
}

// vain fails a test that has waited in vain.
func vain(tb testing.TB, format string, args ...any) {
	tb.Helper()
	waitedInVain.Add(1)
	tb.Fatalf(format, args...)
}

// over is await for a call that returns when others are done.
func over(tb testing.TB, call func()) {
	tb.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		call()
	}()
	await(tb, done)
}

// bodyPipe is io.Pipe for the body of a request: while that goes on, no answer is awaited by the limits of a transport.
func bodyPipe(tb testing.TB) (*io.PipeReader, *io.PipeWriter) {
	tb.Helper()
	body, say := io.Pipe()
	overdue := time.AfterFunc(enough(), func() { _ = say.CloseWithError(os.ErrDeadlineExceeded) })
	tb.Cleanup(func() { overdue.Stop() })
	return body, say
}

// dial makes a connection on which nobody waits for ever.
func dial(addr string) (net.Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err == nil {
		err = c.SetDeadline(time.Now().Add(enough()))
	}
	return c, err
}

// dialTLS is dial with a handshake.
func dialTLS(addr string, config *tls.Config) (*tls.Conn, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	t := tls.Client(c, config)
	if err := t.Handshake(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return t, nil
}
