package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// Without a configuration no record is kept for longer than the README says, also by a guard that has hardly anything to write down.
func TestOpenDecisions_keepsNothingForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := config.Default()
		c.State = t.TempDir()
		sink, _, err := openDecisionsFile(c, io.Discard, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		line := []byte(`{"time":"` + time.Now().UTC().Format(time.RFC3339Nano) + `","msg":"decision"}` + "\n")
		if err := sink.Put(record.Record{Line: line}); err != nil {
			t.Fatal(err)
		}
		have := func() (files []string) {
			synctest.Wait()
			entries, err := os.ReadDir(c.State)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if info, err := e.Info(); err == nil && info.Size() > 0 {
					files = append(files, filepath.Base(e.Name()))
				}
			}
			return files
		}
		const day = 24 * time.Hour
		time.Sleep(89 * day)
		if got := have(); len(got) != 1 {
			t.Errorf("after 89 days: got %q, want the record", got)
		}
		time.Sleep(32 * day)
		if got := have(); len(got) != 0 {
			t.Errorf("after 121 days: got %q, want nothing", got)
		}
		if err := sink.Close(); err != nil {
			t.Error(err)
		}
	})
}

// log.rotate's size and number are those of the files.
func TestOpenDecisions_rotates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := config.Parse("guard.yaml", []byte("log: {rotate: {size: 64KiB, keep: 2}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		c.State = t.TempDir()
		sink, _, err := openDecisionsFile(c, io.Discard, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			if err := sink.Put(record.Record{Line: []byte(strings.Repeat("x", 40<<10) + "\n")}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if err := sink.Close(); err != nil {
			t.Error(err)
		}
		if files, err := filepath.Glob(filepath.Join(c.State, "decisions*")); err != nil || len(files) != 3 {
			t.Errorf("got %q, %v; want the file and two that were moved aside", files, err)
		}
	})
}

// A client in a loop does not fill the guard's own log, and how often something happened can be read there all the same.
func TestLifeLogger_repeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		logger, quiet, err := lifeLogger(&out, &config.Default().Log)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 25 {
			logger.Warn("tunnel refused", zap.String("host", "mail.stranger.test:25"))
			logger.Warn("without fields")
			logger.Warn("each another", zap.Int("n", i))
		}
		quiet()
		lines, times := map[string]int{}, map[string]int64{}
		for line := range strings.Lines(out.String()) {
			e, ok := review.ParseEvent(strings.TrimSpace(line))
			if !ok {
				t.Errorf("cannot be read: %s", line)
			}
			lines[e.Message]++
			times[e.Message] += max(e.Repeat, 1)
		}
		for message, want := range map[string]int{"tunnel refused": 11, "without fields": 11, "each another": 25} {
			if lines[message] != want || times[message] != 25 {
				t.Errorf("%s: %d lines for %d times, want %d for 25", message, lines[message], times[message], want)
			}
		}
	})
}
