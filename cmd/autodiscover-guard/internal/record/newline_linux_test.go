package record_test

import (
	"os/signal"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

// A record of which only the newline found no space is there: it is not counted as dropped, and the next one begins a line. A process of its own has the limit.
func TestFile_space_for_all_but_the_newline(t *testing.T) { inOwnProcess(t, onShortFile) }

func onShortFile(t *testing.T, name string) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	r := record.Record{Line: []byte(`{"msg":"decision"}` + "\n")}
	s := openFile(t, name, record.Rotation{})
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	put := func(most uint64) {
		t.Helper()
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
		if err := s.Put(r); err != nil {
			t.Errorf("with space for %d bytes: %v", most, err)
		}
	}
	put(limit.Cur)
	put(uint64(2*len(r.Line) - 1))
	put(limit.Cur)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if entries, torn := readFile(t, name); len(entries) != 3 || len(torn) != 0 {
		t.Errorf("%d records, torn %q; want 3", len(entries), torn)
	}
}
