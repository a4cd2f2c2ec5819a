package certs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"autodiscover-guard/certs"
)

// Fault injection: a process that makes, renews, widens or imports an authority is killed on its way into each call by which it changes
// files, one run for each call, by strace. Whatever it leaves, nothing of it is readable by others, and the next start works.

// changing are the calls by which files change on Linux.
var changing = []string{"openat", "write", "fsync", "renameat", "mkdirat", "unlinkat"}

// uncounted keeps what go test -cover adds to a process, files with its counters at its end, out of what is watched.
const uncounted = "GOCOVERDIR="

func TestFaults(t *testing.T) {
	t.Parallel()
	straced(t)
	for _, do := range []string{"create", "renew", "widen", "import"} {
		t.Run(do, func(t *testing.T) {
			t.Parallel()
			kills := 0
			for _, call := range changing {
				for n := 1; ; n++ {
					dir := placeFor(t, do)
					if !killed(t, dir, do, call, n) {
						break // it has no n-th such call
					}
					kills++
					private(t, filepath.Dir(dir))
					nextStart(t, dir, do, fmt.Sprintf("killed before %s number %d", call, n))
				}
			}
			// As many as there are writes and syncs at least, so that the injection is known to work.
			if kills < 12 {
				t.Errorf("killed %d times only", kills)
			}
			t.Logf("killed at %d calls", kills)
		})
	}
}

// placeFor is a directory on which something can be done.
func placeFor(t *testing.T, do string) string {
	t.Helper()
	dir := place(t)
	switch do {
	case "renew", "widen":
		open(t, dir, "example.com")
	case "import":
		text, err := open(t, place(t), "example.com").Replica()
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir+".replica", text)
	}
	return dir
}

// killed runs a process until its n-th call of that name, and reports whether it got there.
func killed(t *testing.T, dir, do, call string, n int) bool {
	t.Helper()
	cmd := command(t, dir, openerDoEnv+"="+do, "GOMAXPROCS=1", uncounted)
	cmd.Args = append([]string{
		"strace", "--follow-forks", "--quiet=all", "-o", os.DevNull, "--trace=" + call, fmt.Sprintf("--inject=%s:signal=KILL:when=%d", call, n),
	}, cmd.Path)
	var err error
	if cmd.Path, err = exec.LookPath("strace"); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	// strace ends in the way of what it traces.
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || !strings.Contains(exit.String(), "killed") && exit.ExitCode() != 137 {
		t.Fatalf("%s, %s number %d: %v\n%s", do, call, n, err, out)
	}
	return true
}

// private wants nothing of an authority, whole or in the making, to be readable by others.
func private(t *testing.T, top string) {
	t.Helper()
	err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == top {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// nextStart opens what a killed process has left, as the guard does.
func nextStart(t *testing.T, dir, do, when string) {
	t.Helper()
	if do == "import" {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return // the guard would make one of its own, as before the import
		}
	}
	a, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Errorf("%s: %v", when, err)
		return
	}
	defer a.Close()
	mint(t, a)
	if do == "import" {
		return
	}
	if err := a.Renew(); err != nil {
		t.Errorf("%s: renewing: %v", when, err)
	}
	if _, err := a.Widen(certs.Scope{Names: []string{"lab.test"}}); err != nil {
		t.Errorf("%s: widening: %v", when, err)
	}
}

func straced(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("strace is a program of Linux")
	}
	if out, err := exec.CommandContext(t.Context(), "strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace is not installed, or may not trace here: %v %s", err, out)
	}
}

// What the kernel is asked for: every file is created with mode 0600 and every directory with 0700, and no mode is ever changed, so that
// there is no moment, however short, at which others could open one.
func TestFaults_modes(t *testing.T) {
	t.Parallel()
	straced(t)
	created := regexp.MustCompile(`O_CREAT[^,]*, (0[0-7]+)|mkdirat\([^,]*, [^,]*, (0[0-7]+)`)
	for _, do := range []string{"create", "renew", "widen", "import"} {
		dir := placeFor(t, do)
		cmd := command(t, dir, openerDoEnv+"="+do, uncounted)
		log := filepath.Join(t.TempDir(), "log")
		cmd.Args = append([]string{"strace", "--follow-forks", "-o", log, "--trace=openat,creat,open,mkdir,mkdirat,chmod,fchmod,fchmodat"}, cmd.Path)
		var err error
		if cmd.Path, err = exec.LookPath("strace"); err != nil {
			t.Fatal(err)
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", do, err, out)
		}
		found := 0
		for line := range strings.SplitSeq(string(read(t, log)), "\n") {
			if strings.Contains(line, "chmod") {
				t.Errorf("%s: %s", do, line)
			}
			if m := created.FindStringSubmatch(line); m != nil {
				found++
				if m[1]+m[2] != "0600" && m[1]+m[2] != "0700" {
					t.Errorf("%s: %s", do, line)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s: nothing was seen being created", do)
		}
	}
}
