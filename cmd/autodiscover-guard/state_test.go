package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// A note that could not be written is there once it can be, as it was meant last.
func TestStateDir_mend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state, err := openState(t.TempDir(), zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		defer state.close()
		ctx, end := context.WithCancel(t.Context())
		defer end()
		go state.mend(ctx)
		inTheWay := filepath.Join(state.path, "policy.new")
		if err := os.MkdirAll(filepath.Join(inTheWay, "full"), 0o700); err != nil {
			t.Fatal(err)
		}
		state.note("pid", "17")
		for _, text := range []string{"first", "last"} {
			state.note("policy", text)
		}
		time.Sleep(mendEvery)
		synctest.Wait()
		if _, err := os.Stat(filepath.Join(state.path, "policy")); !errors.Is(err, fs.ErrNotExist) || readNote(state.path, "pid") != "17" {
			t.Fatalf("with something in the way of one: %v, pid %q", err, readNote(state.path, "pid"))
		}
		if err := os.RemoveAll(inTheWay); err != nil {
			t.Fatal(err)
		}
		time.Sleep(mendEvery)
		synctest.Wait()
		if got := readNote(state.path, "policy"); got != "last" {
			t.Errorf("afterwards the note says %q, want %q", got, "last")
		}
	})
}
