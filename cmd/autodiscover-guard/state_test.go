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

// Of a guard that has ended nothing is written any more: not what could not be before, nor what a reload that was left behind would say.
func TestStateDir_closed(t *testing.T) {
	t.Parallel()
	state, err := openState(t.TempDir(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	inTheWay := filepath.Join(state.path, "pid.new")
	if err := os.MkdirAll(filepath.Join(inTheWay, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	state.note("pid", "17")
	if err := os.RemoveAll(inTheWay); err != nil {
		t.Fatal(err)
	}
	state.close()
	state.note("policy", "abc")
	if all := state.rewrite(); !all || readNote(state.path, "pid") != "" || readNote(state.path, "policy") != "" {
		t.Errorf("after its end: %v, pid %q, policy %q", all, readNote(state.path, "pid"), readNote(state.path, "policy"))
	}
}
