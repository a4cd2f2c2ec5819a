package record

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
)

// A file that is just as large or just as old as it may be is one or the other.
func TestRotation_due(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		rotation Rotation
		state    fileState
		line     int
		want     string
	}{
		"space for the line":     {Rotation{Size: 15}, fileState{true, 10, false, now}, 5, ""},
		"none":                   {Rotation{Size: 15}, fileState{true, 10, false, now}, 6, bySize},
		"too long for any":       {Rotation{Size: 15}, fileState{true, 0, false, now}, 16, ""},
		"young":                  {Rotation{Every: time.Hour}, fileState{true, 10, false, now.Add(time.Second - time.Hour)}, 5, ""},
		"old":                    {Rotation{Every: time.Hour}, fileState{true, 10, false, now.Add(-time.Hour)}, 5, byAge},
		"old, and nothing in it": {Rotation{Every: time.Hour}, fileState{true, 0, false, now.Add(-time.Hour)}, 5, ""},
		"not a file":             {Rotation{1, time.Hour, 1, time.Hour}, fileState{false, 10, false, now.Add(-time.Hour)}, 5, ""},
		"nobody asked for it":    {Rotation{Keep: 1, Age: time.Hour}, fileState{true, 1 << 40, false, time.Time{}}, 5, ""},
	} {
		if got := c.rotation.due(c.state, c.line, now); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	for r, want := range map[Rotation]bool{{}: false, {Size: 1, Every: 1}: false, {Keep: 1}: true, {Age: 1}: true} {
		if r.prunes() != want {
			t.Errorf("%+v: got %v", r, !want)
		}
	}
}

// While something is compressed nothing is moved, nor after the end, nor within a minute of what failed.
func TestArchive_tidy(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenFile(filepath.Join(dir, "decisions.jsonl"), Rotation{Size: 1 << 20}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(Record{Line: []byte("{}\n")}); err != nil {
		t.Fatal(err)
	}
	s.rotation.Every = 1
	now := time.Now()
	tidied := func(want int) {
		t.Helper()
		s.archive.tidy(now.Add(time.Second))
		s.archive.work.Wait()
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != want {
			t.Errorf("%v, %v; want %d files", entries, err, want)
		}
	}
	mover := s.archive.mover()
	tidied(1)
	s.archive.finish(mover)
	s.archive.work.Wait()
	s.archive.retry = now.Add(2 * time.Second)
	tidied(1)
	s.archive.retry = now.Add(time.Second)
	tidied(2)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if s.archive.tidy(now.Add(time.Hour)); s.f != nil {
		t.Error("a closed file was opened")
	}
}
