package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// stateDir is the directory that belongs to one running guard.
type stateDir struct {
	path string
	lock *os.File
}

// errLocked is what lockFile returns where another process holds the lock.
var errLocked = errors.New("locked by another process")

// openState makes the directory if need be, private to its owner, and takes it: two guards in one directory would each make an authority
// and rotate the other's log away. The lock is the operating system's, so it goes with the process, however that ends.
func openState(path string) (*stateDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	name := filepath.Join(path, "lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if err := lockFile(f); err != nil {
		defer f.Close()
		if errors.Is(err, errLocked) {
			return nil, hint(fmt.Errorf("state: %q belongs to a running guard%s", path, owner(name)),
				"stop that one, or give this one a directory of its own: --state DIR")
		}
		return nil, fmt.Errorf("state: locking %q: %w", name, err)
	}
	s := &stateDir{path: path, lock: f}
	s.forget() // a guard that was killed has left what is true no longer
	if err := s.note("pid", strconv.Itoa(os.Getpid())); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// owner says which process holds the directory, where it has said so.
func owner(lock string) string {
	pid, err := os.ReadFile(filepath.Join(filepath.Dir(lock), "pid"))
	if err != nil {
		return ""
	}
	return " (process " + strings.TrimSpace(string(pid)) + ")"
}

// note writes a small file for scripts and for other commands of this program: pid, address, admin, transparent, policy.
func (s *stateDir) note(name, text string) error {
	file := filepath.Join(s.path, name)
	if err := os.WriteFile(file+".new", []byte(text+"\n"), 0o600); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil { // whoever waits for the file finds it whole
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

// close gives the directory back. What was only true while the guard ran goes.
func (s *stateDir) close() {
	s.forget()
	_ = s.lock.Close()
}

// forget removes what note has written.
func (s *stateDir) forget() {
	for _, name := range []string{"address", "admin", "pid", "policy", "transparent"} {
		_ = os.Remove(filepath.Join(s.path, name))
	}
}
