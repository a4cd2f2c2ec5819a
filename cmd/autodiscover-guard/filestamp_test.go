package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

// What is written to the configuration while the guard starts, behind its first reading and before it is watched, is taken, too.
func TestService_changedWhileItStarts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "guard.yaml")
	text := "listen: {proxy: 127.0.0.1:0, admin: off}\nstate: " + filepath.Join(t.TempDir(), "state") + "\n"
	write(t, file, text)
	read := make(chan error, 8)
	s := &service{file: file}
	s.load = func() (*config.Config, error) {
		c, err := loadConfig(file)
		read <- errors.Join(err, os.WriteFile(file, []byte(text+"policy: {services: {autodetect: off}}\n"), 0o600))
		return c, err
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx, io.Discard, io.Discard) }()
	for range 2 {
		if err := await(t, read); err != nil {
			t.Error(err)
		}
	}
	stop()
	if err := await(t, ended); err != nil {
		t.Error(err)
	}
}

func TestFileStamp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &fileStamp{file: filepath.Join(dir, "current", "guard.yaml")}
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
	if none := new(fileStamp); none.changed() {
		t.Error("no file has changed")
	}
}
