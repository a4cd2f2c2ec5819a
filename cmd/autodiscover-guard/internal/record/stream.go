package record

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/coreos/go-systemd/v22/journal"
)

// Stream is a sink that is a stream that somebody else owns: the standard output, the standard error. It hangs where nobody reads a pipe, or a terminal was
// stopped; a [Log] with a queue does not. Where systemd's journal reads the stream, each record has its level in front (sd-daemon(3)), by which the journal
// files it, and which it takes off.
func Stream(w io.Writer) Sink {
	s := &stream{w: w}
	switch w {
	case os.Stderr:
		s.levels, _ = journal.StderrIsJournalStream()
	case os.Stdout:
		s.levels, _ = journal.StdoutIsJournalStream()
	}
	return s
}

type stream struct {
	mu     sync.Mutex // held by a record that is being written
	w      io.Writer
	torn   bool // what was written last does not end with a newline
	levels bool
	closed atomic.Bool
}

// Put implements [Sink]. Behind what was torn, a file on a full disk say, the next record begins a line: it would be lost with it, and counted as written.
func (s *stream) Put(r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return errClosed
	}
	line := r.Line
	if s.levels {
		line = fmt.Appendf(nil, "<%d>%s", priority(r.Level), line)
	}
	if s.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := s.w.Write(line)
	if n > 0 {
		s.torn = line[n-1] != '\n'
	}
	if s.torn && n == len(line)-1 {
		return nil // only the newline is missing
	}
	return err
}

// Reopen implements [Sink]: there is nothing to take up.
func (*stream) Reopen() error { return nil }

// Close implements [Sink]. The stream stays open, and a record that hangs is not waited for.
func (s *stream) Close() error {
	s.closed.Store(true)
	return nil
}
