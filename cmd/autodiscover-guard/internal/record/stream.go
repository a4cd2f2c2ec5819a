package record

import (
	"io"
	"sync"
)

// Stream is a sink that is a stream that somebody else owns: the standard output, the standard error.
func Stream(w io.Writer) Sink { return &stream{w: w} }

type stream struct {
	mu     sync.Mutex
	w      io.Writer
	closed bool
}

// Put implements [Sink].
func (s *stream) Put(r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	_, err := s.w.Write(r.Line)
	return err
}

// Reopen implements [Sink]: there is nothing to take up.
func (*stream) Reopen() error { return nil }

// Close implements [Sink]. The stream stays open.
func (s *stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
