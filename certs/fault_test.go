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
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/certs"
)

// Fault injection: a process that makes, renews, widens or imports an authority is killed on its way into each call by which it changes
// files, one run for each call, by strace. Whatever it leaves, nothing of it is readable by others, and the next start works.

// changing are the calls by which files change on Linux.
var changing = []string{"openat", "write", "fsync", "renameat", "mkdirat", "unlinkat"}

var buildDoer sync.Once

// doing is a process that does something to the authority in dir. Its program is one without the race detector: a start with it makes twice as many
// calls of the system, at each of which strace stops it, and some two hundred are started.
func doing(t *testing.T, dir, do string) *exec.Cmd {
	t.Helper()
	program := filepath.Join(built, "doer")
	buildDoer.Do(func() { build(t, "go", "build", "-o", program, "./testdata/doer") })
	return exec.CommandContext(t.Context(), program, do, dir)
}

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
	cmd := doing(t, dir, do)
	cmd.Args = append([]string{
		"strace", "--follow-forks", "--quiet=all", "-o", os.DevNull, "--trace=" + call, fmt.Sprintf("--inject=%s:signal=KILL:when=%d", call, n),
	}, cmd.Args...)
	var err error
	if cmd.Path, err = exec.LookPath("strace"); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1")
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
		log := filepath.Join(t.TempDir(), "log")
		if out, err := traced(t, dir, do, "-o", log, "--trace=openat,creat,open,mkdir,mkdirat,chmod,fchmod,fchmodat"); err != nil {
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

// A disk that is full: whoever wanted a change is told that it failed, and what was there is there, with nothing beside it.
func TestFaults_fullDisk(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell here:", err)
	}
	for _, do := range []string{"create", "renew", "widen", "import"} {
		dir := placeFor(t, do)
		before := contents(t, filepath.Dir(dir))
		cmd := doing(t, dir, do)
		cmd.Path, cmd.Args = shell, append([]string{"sh", "-c", `ulimit -f 0 && exec "$0" "$@"`}, cmd.Args...) // no file may have even one block
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "error: ") {
			t.Errorf("%s: %v, %q", do, err, out)
		}
		if diff := cmp.Diff(before, contents(t, filepath.Dir(dir))); diff != "" {
			t.Errorf("%s: %s", do, diff)
		}
	}
}

// contents is the text of every file below top, and that there is a directory.
func contents(t *testing.T, top string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if all[path] = "a directory"; !e.IsDir() {
			all[path] = string(read(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A disk that does not take what it is to keep: every flush that fails is told, and the next start works.
func TestFaults_unflushed(t *testing.T) {
	t.Parallel()
	straced(t)
	for do, least := range map[string]int{"create": 5, "renew": 2, "widen": 6, "import": 3} {
		t.Run(do, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				dir := placeFor(t, do)
				out, err := traced(t, dir, do, "--quiet=all", "-o", os.DevNull, "--trace=fsync", fmt.Sprintf("--inject=fsync:error=EIO:when=%d", n))
				if err == nil {
					if n <= least {
						t.Errorf("%d flushes, want %d at least", n-1, least)
					}
					return
				}
				if !strings.Contains(out, "input/output error") {
					t.Errorf("flush %d: %v, %s", n, err, out)
				}
				nextStart(t, dir, do, fmt.Sprintf("flush %d failed", n))
			}
		})
	}
}

// traced has a process do something under strace.
func traced(t *testing.T, dir, do string, flags ...string) (string, error) {
	t.Helper()
	cmd := doing(t, dir, do)
	cmd.Args = slices.Concat([]string{"strace", "--follow-forks"}, flags, cmd.Args)
	var err error
	if cmd.Path, err = exec.LookPath("strace"); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// What the kernel is asked for: a file is on disk before it has its name, a directory before it has its own, and then those names are. What was opened for that
// is closed: whoever runs for years does it again and again.
func TestFaults_order(t *testing.T) {
	t.Parallel()
	straced(t)
	call := regexp.MustCompile(`^\d+ +(write|fsync|rename\w*|close)\(\d+<([^>]+)>|(openat).* = \d+<([^>]+)>$`)
	for _, do := range []string{"create", "renew", "widen", "import"} {
		dir := placeFor(t, do)
		log := filepath.Join(t.TempDir(), "log")
		if out, err := traced(t, dir, do, "--decode-fds=path", "-o", log, "--trace=write,fsync,rename,renameat,renameat2,openat,close"); err != nil {
			t.Fatalf("%s: %v\n%s", do, err, out)
		}
		text := string(read(t, log))
		renames, unflushed, open := 0, map[string]bool{}, map[string]int{}
		for line := range strings.SplitSeq(text, "\n") {
			m := call.FindStringSubmatch(line)
			if m == nil || !strings.HasPrefix(m[2]+m[4], filepath.Dir(dir)) {
				continue
			}
			switch path := m[2] + m[4]; m[1] + m[3] {
			case "openat":
				open[path]++
			case "close":
				open[path]--
			case "write":
				unflushed[path] = true
				if made := filepath.Dir(path); strings.Contains(filepath.Base(made), ".new-") {
					unflushed[made] = true
				}
			case "fsync":
				delete(unflushed, path)
			default:
				if len(unflushed) != 0 {
					t.Errorf("%s: not on disk before %s: %v", do, line, unflushed)
				}
				renames++
				unflushed[path] = true
			}
		}
		if renames == 0 || len(unflushed) != 0 {
			t.Errorf("%s: %d renames, not on disk at the end: %v\n%s", do, renames, unflushed, text)
		}
		left := 0
		for _, n := range open {
			left += n // a file that was renamed is closed under its other name
		}
		if left != 0 || len(open) == 0 {
			t.Errorf("%s: %d left open of %v", do, left, open)
		}
	}
}
