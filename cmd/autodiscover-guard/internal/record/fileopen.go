package record

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// fileState is what has to be known of an open file.
type fileState struct {
	// regular is set where the file is one and can be rotated: not a pipe, not a device.
	regular bool
	size    int64
	// torn says that it does not end with a newline.
	torn bool
	// begun is the time of the first record, without a monotonic part: that stands still while a computer sleeps, and the record gets old all the same.
	begun time.Time
}

// open opens the file at the path, and makes it if need be.
func (s *File) open(now time.Time) error {
	flags := os.O_RDWR | os.O_APPEND | os.O_CREATE
	if info, err := os.Stat(s.path); err == nil && !info.Mode().IsRegular() {
		// Whoever opens a pipe that nobody reads would wait for its reader, and no signal would end that.
		flags = os.O_WRONLY | os.O_APPEND | syscall.O_NONBLOCK
	}
	f, err := os.OpenFile(s.path, flags, 0o600)
	if errors.Is(err, fs.ErrPermission) { // a file that may be written and not read
		f, err = os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND, 0o600)
	}
	if err != nil {
		return err
	}
	state, err := examine(f, now)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s.f, s.state, s.looked, s.moved = f, state, now, false
	if s.shared = state.regular && !take(f, s.rotation.moves()); s.shared && s.archive.stop != nil { // who has begun goes on: its records would be nowhere else
		s.logger.Warn("another guard writes to the file of decision records, too; one moves it aside, and what the other writes to it then gets lost", zap.String("file", s.path))
	}
	return nil
}

// unread reports whether a file could not be opened because it is a pipe that nobody reads yet.
func (s *File) unread(err error) bool {
	info, statErr := os.Stat(s.path)
	return errors.Is(err, syscall.ENXIO) && statErr == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// examine finds out how a file ends and when it began. What cannot be read is taken as whole, and as new.
func examine(f *os.File, now time.Time) (fileState, error) {
	info, err := f.Stat()
	if err != nil {
		return fileState{}, err
	}
	s := fileState{regular: info.Mode().IsRegular(), size: info.Size(), begun: now.Round(0)}
	if !s.regular || s.size == 0 {
		return s, nil
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], s.size-1); err == nil {
		s.torn = last[0] != '\n'
	}
	s.begun = info.ModTime()
	head := make([]byte, 4<<10)
	if n, err := f.ReadAt(head, 0); err == nil || errors.Is(err, io.EOF) {
		if t, ok := firstTime(head[:n]); ok {
			s.begun = t
		}
	}
	return s, nil
}

// firstTime is the time of the first record in a text. The key stands in front of everything that a client or a service could say.
func firstTime(text []byte) (time.Time, bool) {
	_, text, _ = bytes.Cut(text, []byte(`"time":"`))
	text, _, _ = bytes.Cut(text, []byte(`"`))
	t, err := time.Parse(time.RFC3339Nano, string(text))
	return t, err == nil
}
