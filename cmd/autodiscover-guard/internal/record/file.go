package record

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// ErrTaken is what [OpenFile] answers for a file that another process has opened with it.
var ErrTaken = errors.New("another guard writes to this file")

// errClosed is what a sink answers that has been closed.
var errClosed = errors.New("the log has been closed")

// checkEvery is how often File looks whether its file is still there. One that was removed is given up at once, because what is written to it is lost; one
// that was moved at the next look, so that logrotate, which moves the file, makes the next and then sends SIGHUP, is not forestalled.
const checkEvery = time.Second

// File is a sink that is a file: one write a record, whole lines, private to its owner where it makes the file. Make it with [OpenFile].
//
// One process writes to it, unless none moves it aside (that may be somebody else's business, such as logrotate's): what is written to a file while another guard
// compresses it is lost.
type File struct {
	path     string
	rotation Rotation
	logger   *zap.Logger

	mu     sync.Mutex // guards what follows
	f      *os.File   // nil where it could not be opened, and after an error
	state  fileState
	looked time.Time // when path was last compared with f
	moved  bool      // that it was another file then
	shared bool      // that another process had f before us
	closed bool

	archive archive
}

// OpenFile opens the file, or makes it with mode 0600 in a directory that is there. An existing file keeps its mode, which is its owner's
// choice; a torn last line is ended. A pipe may have its reader later, and a disk without room for the file may have some: records that come before are not
// written. A file that another process writes to is [ErrTaken], where one of both would move it aside.
// The logger hears of rotations that fail.
func OpenFile(path string, rotation Rotation, logger *zap.Logger) (*File, error) {
	s := &File{path: path, rotation: rotation, logger: logger}
	switch err := s.open(time.Now()); {
	case err == nil, s.unread(err):
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		s.state.regular = true // what it will be
		logger.Error("there is no room for the file of decision records; records are dropped and counted until there is", zap.Error(err))
	default:
		return nil, err
	}
	if s.shared {
		s.release()
		return nil, ErrTaken
	}
	s.archive.init(s)
	return s, nil
}

// Put implements [Sink].
func (s *File) Put(r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	now := time.Now()
	if err := s.ready(now); err != nil {
		return err
	}
	if reason := s.rotation.due(s.state, len(r.Line), now); reason != "" && s.archive.free(now) {
		if err := s.rotate(reason, now); err != nil {
			return err
		}
	}
	return s.write(r.Line)
}

// ready has the file open that records belong into now.
func (s *File) ready(now time.Time) error {
	if s.f != nil && now.Sub(s.looked) >= checkEvery {
		s.looked = now
		moved, removed := s.gone()
		if removed || moved && s.moved {
			s.release()
		}
		s.moved = moved
	}
	if s.f == nil {
		return s.open(now)
	}
	return nil
}

// gone reports whether another file than the open one is at the path, or none, and whether the open one has no name at all.
func (s *File) gone() (moved, removed bool) {
	here, err := s.f.Stat()
	if err != nil {
		return true, true
	}
	there, err := os.Stat(s.path)
	return err != nil || !os.SameFile(there, here), unlinked(here)
}

// write writes a line, behind the end of one that was torn. Where only the newline is missing, the record is there.
func (s *File) write(line []byte) error {
	if s.state.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := s.f.Write(line)
	s.state.size += int64(n)
	switch {
	case err == nil:
		s.state.torn = false
		return nil
	case n == len(line)-1:
		s.state.torn = true
		return nil
	}
	// Opening it again finds out where the file ends now, and whether there is a better one.
	s.release()
	return err
}

// Reopen implements [Sink]. It is for a file that was moved away, and does no harm to one that was not.
func (s *File) Reopen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.release()
	return s.open(time.Now())
}

// Close implements [Sink]. It waits for what is being compressed.
func (s *File) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	s.closed = true
	var err error
	if s.f != nil {
		if s.state.regular { // of a pipe there is nothing to flush, and that is an error
			err = s.f.Sync()
		}
		err = errors.Join(err, s.f.Close())
		s.f = nil
	}
	s.mu.Unlock()
	s.archive.close()
	return err
}

// release closes the file, whose records are all with the operating system already.
func (s *File) release() {
	if s.f != nil {
		_ = s.f.Close()
		s.f = nil
	}
}
