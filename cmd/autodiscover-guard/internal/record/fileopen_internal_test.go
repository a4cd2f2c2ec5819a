package record

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
)

// A file gets old while the computer sleeps: monotonic time stands still then, and no test can have it do that.
func TestOpenFile_ageByTheWallClock(t *testing.T) {
	t.Parallel()
	s, err := OpenFile(filepath.Join(t.TempDir(), "decisions.jsonl"), Rotation{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if begun := s.state.begun; begun != begun.Round(0) { // not the same moment, but the same reading
		t.Errorf("got %v, which has monotonic time", begun)
	}
}

// A file that may be written and not read is taken as whole, and as old as its last record.
func TestExamine_unreadable(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	written := time.Now().Add(-time.Hour)
	if err := errors.Join(os.WriteFile(name, []byte("{}\n"), 0o600), os.Chtimes(name, written, written)); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := examine(f, time.Now()); err != nil || got.torn || got.size != 3 || got.begun.Sub(written).Abs() > time.Second {
		t.Errorf("got %+v, %v", got, err)
	}
}
