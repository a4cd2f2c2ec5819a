package record_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ownFile gives a process that a test has made of itself the name of its file.
const ownFile = "AUTODISCOVER_GUARD_OWN_FILE"

// inOwnProcess does something with a file in a process of its own, whose limits it may change. It is all that a test does.
func inOwnProcess(t *testing.T, do func(t *testing.T, name string)) {
	t.Helper()
	if name := os.Getenv(ownFile); name != "" {
		do(t, name)
		return
	}
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), ownFile+"="+filepath.Join(t.TempDir(), "decisions.jsonl"))
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v:\n%s", err, out)
	}
}
