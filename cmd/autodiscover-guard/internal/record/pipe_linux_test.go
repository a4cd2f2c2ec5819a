package record_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

// A pipe without a reader keeps nobody waiting, neither the start nor an exchange, and is no failure that lasts.
func TestFile_pipe(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := record.OpenFile(name, record.Rotation{Size: 1, Every: 1, Keep: 1}, zap.NewNop()) // which is about files
	if err != nil {
		t.Fatal(err)
	}
	line := record.Record{Line: []byte("{}\n")}
	if err := s.Put(line); !errors.Is(err, syscall.ENXIO) {
		t.Errorf("before there is a reader: %v", err)
	}
	for range 2 {
		reader, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got [16]byte
		if err := s.Put(line); err != nil {
			t.Errorf("with a reader: %v", err)
		}
		if n, err := reader.Read(got[:]); err != nil || string(got[:n]) != "{}\n" {
			t.Errorf("the reader got %q, %v", got[:n], err)
		}
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Put(line); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("when the reader has gone: %v", err)
		}
		if err := s.Put(line); !errors.Is(err, syscall.ENXIO) {
			t.Errorf("while there is no reader: %v", err)
		}
	}
	l, err := net.Listen("unix", name+".socket")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := record.OpenFile(name+".socket", record.Rotation{}, zap.NewNop()); err == nil {
		t.Error("a socket was opened, which is none that will have a reader")
	}
	reader, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := errors.Join(s.Put(line), s.Close()); err != nil {
		t.Errorf("at the end: %v", err)
	}
}
