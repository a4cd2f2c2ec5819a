//go:build unix

package namedpipe

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// Nobody who writes is waited for in vain for ever, and who comes late is served.
func TestOpen(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	const short = 10 * time.Millisecond
	said := make(chan error, 1)
	go func() {
		_, err := open(path, short)
		said <- err
	}()
	select {
	case err := <-said:
		if err == nil || !strings.Contains(err.Error(), path+" is a pipe, and nobody has written to it for 10ms") {
			t.Errorf("nobody writes: got %v", err)
		}
	case <-time.After(patience):
		t.Fatal("nobody writes, and who reads waits")
	}
	go func() {
		if err := os.WriteFile(path, []byte("late"), 0o600); err != nil { // waits for the reader
			t.Error(err)
		}
	}()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || string(text) != "late" {
		t.Errorf("who is late: got %q, %v", text, err)
	}
}

func TestOpen_files(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if f, err := Open(path); f != nil || !os.IsNotExist(err) {
		t.Errorf("absent: got %v, %v", f, err)
	}
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || string(text) != "text" {
		t.Errorf("got %q, %v", text, err)
	}
}
