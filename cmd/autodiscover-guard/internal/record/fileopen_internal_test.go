package record

import (
	"path/filepath"
	"testing"

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
