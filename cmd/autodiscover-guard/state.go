package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// stateDir is the directory that belongs to one running guard.
type stateDir struct {
	path   string
	lock   *os.File
	logger *zap.Logger

	noting  sync.Mutex        // guards what follows, and the files
	missing map[string]string // notes that could not be written, by name
	failed  chan struct{}     // has one while there are any

	closed atomic.Bool // nobody waits for noting at the end: a disk may hang while it is held
}

// authorityDir is where the authority lies in a state directory.
func authorityDir(state string) string { return filepath.Join(state, "authority") }

// Whoever looks whether a guard runs ([guardRuns]) shares the lock with others who look for a moment where none does, which is a long one on a busy computer, and
// "status --wait" looks while one is about to. Such a lock is waited for; that of a guard, which may be ending, for lockPatience only.
const (
	lockPatience = 200 * time.Millisecond
	lookPatience = 10 * time.Second
	lockPause    = 5 * time.Millisecond
)

// errLocked is what lockFile returns where another process holds the lock, and does not share it with us.
var errLocked = errors.New("locked by another process")

// openState makes the directory if need be, private to its owner, and takes it: two guards in one directory would each make an authority
// and rotate the other's log away. The lock is the operating system's, so it goes with the process, however that ends.
func openState(path string, logger *zap.Logger) (*stateDir, error) {
	f, err := takeLock(path, "lock")
	for begun := time.Now(); errors.Is(err, errLocked); f, err = takeLock(path, "lock") {
		if waited := time.Since(begun); waited >= lookPatience || waited >= lockPatience && guardRuns(path) {
			break
		}
		time.Sleep(lockPause)
	}
	if errors.Is(err, errLocked) {
		return nil, hint(fmt.Errorf("state: %q belongs to a running guard%s", path, owner(path)), "stop that one, or give this one a directory of its own: --state DIR")
	}
	if err != nil {
		return nil, err
	}
	s := &stateDir{path: path, lock: f, logger: logger, missing: map[string]string{}, failed: make(chan struct{}, 1)}
	s.forget() // a guard that was killed has left what is true no longer
	return s, nil
}

// takeLock locks a file in a state directory, both of which are made if need be, private to their owner, for as long as the file is open. The error is
// errLocked where another process has it.
func takeLock(dir, name string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if err := lockFile(f, exclusively); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("state: locking %q: %w", f.Name(), err)
	}
	return f, nil
}

// lookLock shares a lock that is there with others who only look.
func lookLock(dir, name string) (*os.File, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if err := lockFile(f, shared); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("state: locking %q: %w", f.Name(), err)
	}
	return f, nil
}

// owner says which process holds the directory, where it has said so.
func owner(state string) string {
	if pid := readNote(state, "pid"); pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}

// note writes a small file for scripts and for other commands of this program: pid, address, admin, transparent, policy. The guard itself needs
// none of them: where one cannot be written, a full disk say, it warns and guards, and [stateDir.mend] tries again.
func (s *stateDir) note(name, text string) {
	s.noting.Lock()
	defer s.noting.Unlock()
	if s.closed.Load() {
		return
	}
	delete(s.missing, name)
	if err := s.write(name, text); err != nil {
		s.missing[name] = text
		select {
		case s.failed <- struct{}{}:
		default:
		}
		s.logger.Warn("a file for scripts could not be written", zap.String("file", name), zap.Error(err))
	}
}

// write puts a note where it belongs, or nothing.
func (s *stateDir) write(name, text string) error {
	file := filepath.Join(s.path, name)
	err := os.WriteFile(file+".new", []byte(text+"\n"), 0o600)
	if err == nil {
		err = os.Rename(file+".new", file) // whoever waits for the file finds it whole
	}
	if err != nil || s.closed.Load() { // a disk that hung until now: forget has been here
		_ = os.Remove(file + ".new")
		_ = os.Remove(file) // it says what is true no longer
	}
	return err
}

// notes are all that note writes. The proxy's address comes last: whoever has waited for it finds the others.
var notes = [...]string{"pid", "policy", "transparent", "admin", "address"}

// mendEvery is how often what could not be written is tried again.
const mendEvery = 2 * time.Second

// mend writes the notes that could not be, once that is possible again, until ctx ends: without them "status" and logrotate's kill find no guard, however well
// it does.
func (s *stateDir) mend(ctx context.Context) {
	for {
		select {
		case <-s.failed:
		case <-ctx.Done():
			return
		}
		for !s.rewrite() {
			select {
			case <-time.After(mendEvery):
			case <-ctx.Done():
				return
			}
		}
	}
}

// rewrite tries once more what is missing, and reports whether all of it is there now.
func (s *stateDir) rewrite() bool {
	s.noting.Lock()
	defer s.noting.Unlock()
	if s.closed.Load() {
		return true
	}
	for _, name := range notes {
		text, is := s.missing[name]
		if !is {
			continue
		}
		if s.write(name, text) != nil {
			return false
		}
		delete(s.missing, name)
		s.logger.Info("a file for scripts is there now", zap.String("file", name))
	}
	return true
}

// close gives the directory back. What was only true while the guard ran goes, and what a reload that was left behind, or mend, would still write does not stay.
func (s *stateDir) close() {
	s.closed.Store(true)
	s.forget()
	_ = s.lock.Close()
}

// forget removes what note has written.
func (s *stateDir) forget() {
	for _, name := range notes {
		_ = os.Remove(filepath.Join(s.path, name))
	}
}
