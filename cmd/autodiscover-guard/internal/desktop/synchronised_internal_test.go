//go:build linux

package desktop

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the kernel is asked for: each new file, the journal among them, is on the disk before it has its name, and then that name is.
func TestOn_survivesLossOfPower(t *testing.T) {
	t.Parallel()
	if out, err := exec.CommandContext(t.Context(), "strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace is not installed, or may not trace here: %v %s", err, out)
	}
	w := newWorld(t)
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.CommandContext(t.Context(), "strace", "--follow-forks", "--decode-fds=path", "-o", log, "--trace=fsync,rename,renameat,renameat2", os.Args[0])
	cmd.Env = append(os.Environ(), killAt+"=1000", "DESKTOP_TEST_WORLD="+w.dir, "GOCOVERDIR=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(log)
	must(t, err)
	var calls []string
	for _, m := range regexp.MustCompile(`(?m)^\d+ +(fsync)\(\d+<([^>]*)>|^\d+ +(rename)\w*\([^"\n]*"([^"]*)"`).FindAllStringSubmatch(string(text), -1) {
		calls = append(calls, m[1]+m[3]+" "+strings.TrimPrefix(m[2]+m[4], w.dir))
	}
	renames := 0
	for i, call := range calls {
		name, isRename := strings.CutPrefix(call, "rename ")
		if !isRename {
			continue
		}
		renames++
		if i == 0 || i == len(calls)-1 || calls[i-1] != "fsync "+name || calls[i+1] != "fsync "+filepath.Dir(name) {
			t.Errorf("%s is not between the synchronising of file and directory", call)
		}
	}
	if renames < 5 {
		t.Errorf("%d files, want that of each place and the journal:\n%s", renames, text)
	}
}
