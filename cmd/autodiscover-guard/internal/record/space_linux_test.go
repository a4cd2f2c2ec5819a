package record_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

const tinyDisk = "AUTODISCOVER_GUARD_TINY_DISK"

// TestFile_full_disk fills a real file system. It is mounted in a mount namespace of a process of its own, so that this machine does not change.
func TestFile_full_disk(t *testing.T) {
	if dir := os.Getenv(tinyDisk); dir != "" {
		onFullDisk(t, dir)
		withoutInodes(t, dir)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a file system")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=8", "none", dir).CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted here: %v: %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", `mount -t tmpfs -o size=64k,nr_inodes=8 none "$1" && exec "$2" -test.run='^TestFile_full_disk$' -test.v`, "sh", dir, self)
	cmd.Env = append(os.Environ(), tinyDisk+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func onFullDisk(t *testing.T, dir string) {
	t.Helper()
	name := filepath.Join(dir, "decisions.jsonl")
	balloon := filepath.Join(dir, "balloon")
	if err := os.WriteFile(balloon, make([]byte, 40<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	dropped := 0
	log := record.New(record.Config{
		Sink: openFile(t, name, record.Rotation{}), Encoder: encoder(), Dropped: func(n int) { dropped += n },
	})
	decisions := zap.New(log.Core())
	pad := "/" + strings.Repeat("x", 777)
	n := 0
	for ; dropped < 10; n++ { // the first of them leaves a line torn: the disk's end falls into it
		decide(decisions, "192.0.2.1", pad, n)
	}
	if _, torn := readFile(t, name); len(torn) != 1 {
		t.Errorf("%d torn lines on a full disk, want 1", len(torn))
	}
	if err := os.WriteFile(balloon+"2", make([]byte, 8<<10), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the disk is not full: %v", err)
	}
	if err := errors.Join(os.Remove(balloon), os.Remove(balloon+"2")); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		decide(decisions, "192.0.2.1", pad, n)
		n++
	}
	closeLog(t, log)
	entries, torn := readFile(t, name)
	got, told := total(entries)
	if got+told != n || told != dropped || len(torn) != 1 {
		t.Errorf("%d written and %d told of, of %d; %d dropped; torn %d", got, told, n, dropped, len(torn))
	}
	if last := entries[len(entries)-1]; last.Exchange == "" || last.Client != "192.0.2.1" {
		t.Errorf("the last record is %+v", last)
	}
}

// withoutInodes opens a file that there is no room for, as after logrotate has moved the one that was there, or in a directory that a restart has emptied.
func withoutInodes(t *testing.T, dir string) {
	t.Helper()
	last := ""
	for i, err := 0, error(nil); ; i++ {
		name := filepath.Join(dir, fmt.Sprint(i))
		if err = os.WriteFile(name, nil, 0o600); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			break
		}
		last = name
	}
	name := filepath.Join(dir, "next.jsonl")
	log, decisions := newLog(openFile(t, name, record.Rotation{Every: time.Hour, Keep: 1}), record.Rate{}, nil)
	decide(decisions, "192.0.2.1", "/", 1)
	if err := os.Remove(last); err != nil {
		t.Fatal(err)
	}
	decide(decisions, "192.0.2.1", "/", 2)
	closeLog(t, log)
	entries, torn := readFile(t, name)
	if got, told := total(entries); got != 1 || told != 1 || len(torn) != 0 {
		t.Errorf("%d written and %d told of, torn %d, want 1, 1 and 0", got, told, len(torn))
	}
}
