package durable_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"autodiscover-guard/certs/durable"
)

// replaceEnv makes the test binary a second process that replaces the named file.
const replaceEnv = "DURABLE_TEST_REPLACE"

func TestMain(m *testing.M) {
	if name := os.Getenv(replaceEnv); name != "" {
		if durable.Replace(name, []byte("text")) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// What the kernel is asked for: the text is on disk before it has the file's name, and then that name is.
func TestReplace_order(t *testing.T) {
	t.Parallel()
	if out, err := exec.CommandContext(t.Context(), "strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace is not installed, or may not trace here: %v %s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	cmd := exec.CommandContext(t.Context(), "strace", "--follow-forks", "--decode-fds=path", "-o", log, "--trace=write,fsync,renameat,renameat2,rename", self)
	cmd.Env = append(os.Environ(), replaceEnv+"="+filepath.Join(dir, "file"), "GOCOVERDIR=")
	if out, err := cmd.CombinedOutput(); err != nil {
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
