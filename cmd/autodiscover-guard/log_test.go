package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
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
