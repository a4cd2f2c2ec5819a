//go:build linux

package certs

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Files must be private from their first byte on: no moment at which they exist with another mode. The kernel is asked
// to report every change of attributes, and the mask of the process is opened wide. Not parallel, as the mask is the
// process's.
func TestFiles_neverReadable(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	top := t.TempDir()
	whole := newWatch(t, top)
	dir := filepath.Join(top, "authority")
	a, err := Open(dir, Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, e := range whole.events(t) {
		if e.mask&syscall.IN_ATTRIB != 0 {
			t.Errorf("%s: attributes were changed after creation", e.name)
		}
	}
	watch := newWatch(t, dir)
	if err := a.Renew(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Widen(Scope{Names: []string{"test"}}); err != nil {
		t.Fatal(err)
	}
	created := 0
	for _, e := range watch.events(t) {
		switch {
		case e.mask&syscall.IN_CREATE != 0:
			created++
		case e.mask&syscall.IN_ATTRIB != 0:
			t.Errorf("%s: attributes were changed after creation", e.name)
		}
	}
	if created != 4 {
		t.Errorf("saw %d files being created, want 4", created)
	}
	for _, name := range []string{rootFile, rootKeyFile, issuingFile, formerFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode() != os.ModeDir|0o700 {
		t.Errorf("directory: %v, %v", info.Mode(), err)
	}
}

type watch int

type event struct {
	mask uint32
	name string
}

func newWatch(t *testing.T, dir string) watch {
	t.Helper()
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		t.Skip("no inotify here:", err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if _, err := syscall.InotifyAddWatch(fd, dir, syscall.IN_CREATE|syscall.IN_ATTRIB); err != nil {
		t.Fatal(err)
	}
	return watch(fd)
}

// events returns what has happened so far: the kernel queues it before the call that caused it returns.
func (w watch) events(t *testing.T) []event {
	t.Helper()
	buf := make([]byte, 64<<10)
	n, err := syscall.Read(int(w), buf)
	if err != nil {
		t.Fatal(err)
	}
	var all []event
	for buf = buf[:n]; len(buf) > 0; {
		size := binary.NativeEndian.Uint32(buf[12:])
		name, _, _ := bytes.Cut(buf[16:16+size], []byte{0})
		all = append(all, event{binary.NativeEndian.Uint32(buf[4:]), string(name)})
		buf = buf[16+size:]
	}
	return all
}
