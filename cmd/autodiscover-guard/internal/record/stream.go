package record

import (
	"io"
	"sync"
	"sync/atomic"
)

// Stream is a sink that is a stream that somebody else owns: the standard output, the standard error. It hangs where nobody reads a pipe, or a terminal was
// stopped; a [Log] with a queue does not.
func Stream(w io.Writer) Sink { return &stream{w: w} }

type stream struct {
	mu     sync.Mutex // held by a record that is being written
	w      io.Writer
	closed atomic.Bool
}

// Put implements [Sink].
func (s *stream) Put(r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return errClosed
	}
	_, err := s.w.Write(r.Line)
	return err
}

// Reopen implements [Sink]: there is nothing to take up.
func (*stream) Reopen() error { return nil }

// Close implements [Sink]. The stream stays open, and a record that hangs is not waited for.
func (s *stream) Close() error {
	s.closed.Store(true)
	return nil
}
