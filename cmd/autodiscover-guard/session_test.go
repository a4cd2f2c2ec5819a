package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"autodiscover-guard/cmd/autodiscover-guard/internal/desktop"
)

// A guard that has put no settings in place says nothing of them when it ends, in a state directory, say, that became read-only.
func TestSession_endWithoutBegin(t *testing.T) {
	t.Parallel()
	core, said := observer.New(zap.DebugLevel)
	s := &session{desktop: desktop.New(desktop.Config{Lock: func(bool) (func(), error) { return nil, errors.New("read-only file system") }}), logger: zap.New(core)}
	s.end()
	if said.Len() != 0 {
		t.Errorf("said: %v", said.All())
	}
}

// Whoever changes settings, or only looks at them, waits for another process that changes them, and not for ever. Who looks makes nothing.
func TestLockDesktop(t *testing.T) {
	t.Parallel()
	for _, changes := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			if unlock, err := lockDesktop(dir, false); err != nil {
				t.Error(err)
			} else if unlock(); exists(dir) {
				t.Error("who only looks has made a state directory")
			}
			unlock, err := lockDesktop(dir, true)
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			if _, err := lockDesktop(dir, changes); err == nil || time.Since(begun) < lookPatience {
				t.Errorf("after %v: %v", time.Since(begun), err)
			}
			time.AfterFunc(time.Second, unlock)
			unlock, err = lockDesktop(dir, changes)
			if err != nil {
				t.Fatal(err)
			}
			defer unlock()
			if _, err := lockDesktop(dir, false); (err == nil) == changes {
				t.Errorf("changes %v: who looks gets %v", changes, err)
			}
		})
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
