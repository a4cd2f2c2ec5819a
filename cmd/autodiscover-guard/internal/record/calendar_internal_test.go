package record

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
)

// A clock that has leapt is believed after an hour, and not before; one that goes on, that a sleep has made go on, or that was set back, always.
func TestCalendar(t *testing.T) {
	const day = 24 * time.Hour
	last := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC) // when somebody wrote to the log
	type look struct {
		clock, up time.Duration // since last, and since the process began
		want      bool
	}
	for name, looks := range map[string][]look{
		"goes on":                        {{0, 0, true}, {time.Hour, time.Hour, true}, {30 * day, 30 * day, true}},
		"a week without a guard":         {{leap, 0, true}},
		"more than a week without one":   {{leap + 1, 0, false}, {leap + settling, settling - 1, false}, {leap + settling + 1, settling, true}},
		"leaps while the guard runs":     {{0, 0, true}, {200 * day, time.Hour, false}, {200*day + time.Minute, time.Hour + time.Minute, false}, {200*day + time.Hour, 2 * time.Hour, true}},
		"leaps again":                    {{200 * day, 0, false}, {400 * day, settling, false}, {400*day + settling, 2 * settling, true}},
		"leaps and is put right":         {{200 * day, 0, false}, {time.Minute, time.Minute, false}, {time.Hour, time.Hour, true}},
		"is put right and is behind":     {{-200 * day, 0, true}, {time.Hour, time.Hour, false}, {2 * time.Hour, 2 * time.Hour, true}},
		"goes on while a computer rests": {{0, 0, true}, {6 * day, time.Hour, true}, {12 * day, 2 * time.Hour, true}},
	} {
		c := calendar{wall: last}
		for _, l := range looks {
			if got := c.believes(last.Add(l.clock), l.up); got != l.want {
				t.Errorf("%s: after %v, of which the process ran %v: believed is %v", name, l.clock, l.up, got)
			}
		}
	}
}

// What is too old goes at the start, unless the clock alone may have made it so.
func TestArchive_leap(t *testing.T) {
	for _, c := range []struct {
		name, text string
		since      time.Duration
		keeps      bool
	}{
		{"written to today", "{}\n", 0, false},
		{"written to a month ago", "{}\n", 30 * 24 * time.Hour, true},
		{"begun today", "", 0, false},
		{"begun a month ago", "", 30 * 24 * time.Hour, true},
	} {
		dir := t.TempDir()
		name, old := filepath.Join(dir, "decisions.jsonl"), filepath.Join(dir, "decisions-2026-01-01T00-00-00.000-size.jsonl.gz")
		at := time.Now().Add(-c.since)
		if err := errors.Join(os.WriteFile(name, []byte(c.text), 0o600), os.Chtimes(name, at, at), os.WriteFile(old, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		s, err := OpenFile(name, Rotation{Size: 1 << 20}, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		s.rotation.Age = 24 * time.Hour // only now: nothing else is to tidy up
		s.archive.tidy(time.Now())
		s.archive.work.Wait()
		if _, err := os.Stat(old); (err == nil) != c.keeps {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
