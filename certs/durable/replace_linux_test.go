package durable_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"autodiscover-guard/certs/durable"
)

// replaceEnv makes the test binary a second process that replaces the named file.
const replaceEnv = "DURABLE_TEST_REPLACE"

func TestMain(m *testing.M) {
	if name := os.Getenv(replaceEnv); name != "" {
		runtime.LockOSThread() // strace counts the calls of each thread
		if durable.Replace(name, []byte("text")) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A disk that is full: the file that was there stays, with nothing beside it, and whoever wanted another is told.
func TestReplace_fullDisk(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 0 && exec "$0"`, self) // no file may have even one block
	cmd.Env = append(os.Environ(), replaceEnv+"="+name, "GOCOVERDIR=")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("it seems to have worked: %s", out)
	}
	left, err := os.ReadDir(filepath.Dir(name))
	if text, readErr := os.ReadFile(name); err != nil || readErr != nil || string(text) != "before" || len(left) != 1 {
		t.Errorf("%q, %d files, %v", text, len(left), errors.Join(err, readErr))
	}
}

// tracedReplace has another process replace the named file, under strace with the given options.
func tracedReplace(t *testing.T, name string, options ...string) ([]byte, error) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace is not installed, or may not trace here: %v %s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "strace", append(append([]string{"--follow-forks"}, options...), self)...)
	cmd.Env = append(os.Environ(), replaceEnv+"="+name, "GOCOVERDIR=")
	return cmd.CombinedOutput()
}

// A disk that does not take what it is to keep: that is told, whichever of the two it is that was not flushed.
func TestReplace_unflushed(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 3; n++ {
		out, err := tracedReplace(t, filepath.Join(t.TempDir(), "file"), "--quiet=all", "-o", os.DevNull, "--trace=fsync", fmt.Sprintf("--inject=fsync:error=EIO:when=%d", n))
		if (err == nil) != (n == 3) { // file and directory; there is no third
			t.Errorf("flush %d failed: %v %s", n, err, out)
		}
	}
}

// What the kernel is asked for: the text is on disk before it has the file's name, and then that name is.
func TestReplace_order(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	if out, err := tracedReplace(t, filepath.Join(dir, "file"), "--decode-fds=path", "-o", log, "--trace=write,fsync,renameat,renameat2,rename"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, m := range regexp.MustCompile(`(?m)^\d+ +(write|fsync|rename)\w*\((.*)\) += 0|^\d+ +(write)\(\d+<`+regexp.QuoteMeta(dir)+`/`).FindAllStringSubmatch(string(text), -1) {
		what := m[1] + m[3]
		if strings.HasSuffix(m[2], "<"+dir+">") {
			what += " directory"
		}
		calls = append(calls, what)
	}
	if got := strings.Join(calls, ", "); got != "write, fsync, rename, fsync directory" {
		t.Errorf("got %s:\n%s", got, text)
	}
}
