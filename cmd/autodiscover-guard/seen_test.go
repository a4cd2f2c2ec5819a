package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &seen{file: filepath.Join(dir, "current", "guard.yaml")}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	expect := func(what string, want bool) {
		t.Helper()
		if got := s.changed(); got != want {
			t.Errorf("%s: got %v", what, got)
		}
	}
	for _, release := range []string{"one", "two"} {
		do(os.Mkdir(filepath.Join(dir, release), 0o700))
		write(t, filepath.Join(dir, release, "guard.yaml"), "policy: {}\n")
		do(os.Chtimes(filepath.Join(dir, release, "guard.yaml"), time.Time{}, time.Unix(1e9, 0)))
	}
	expect("not there yet", false)
	do(os.Rename(filepath.Join(dir, "one"), filepath.Join(dir, "current")))
	expect("there", false)
	expect("the same", false)
	do(os.Rename(filepath.Join(dir, "current"), filepath.Join(dir, "one")))
	expect("its directory is away", false)
	do(os.Rename(filepath.Join(dir, "two"), filepath.Join(dir, "current")))
	expect("another directory", true)
	expect("the same again", false)
	do(os.Chtimes(s.file, time.Time{}, time.Unix(2e9, 0)))
	expect("written to", true)
	write(t, s.file, "")
	do(os.Chtimes(s.file, time.Time{}, time.Unix(2e9, 0)))
	expect("written to, by a clock that stands", true)
	if none := new(seen); none.changed() {
		t.Error("no file has changed")
	}
}
