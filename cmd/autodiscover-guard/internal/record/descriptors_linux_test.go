package record_test

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

// Out of descriptors a file that should be moved aside is written on, and loses nothing. A process of its own has the limit.
func TestFile_rotates_out_of_descriptors(t *testing.T) { inOwnProcess(t, withoutDescriptors) }

func withoutDescriptors(t *testing.T, name string) {
	t.Helper()
	r := record.Record{Line: []byte(`{"msg":"decision"}` + "\n")}
	s := openFile(t, name, record.Rotation{Size: int64(2 * len(r.Line))})
	put := func() {
		t.Helper()
		if err := s.Put(r); err != nil {
			t.Error(err)
		}
	}
	put()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	var taken []int
	for {
		fd, err := unix.Dup(0)
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, fd)
	}
	for range 4 { // the second of them is one too many
		put()
	}
	for _, fd := range taken {
		_ = unix.Close(fd)
	}
	put()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if entries, torn := readFile(t, name); len(entries) != 6 || len(torn) != 0 {
		t.Errorf("%d records, torn %q; want 6", len(entries), torn)
	}
}
