package record_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// What the kernel is asked for where files are moved and compressed: each file that is made from another one, which is removed, is put on the disk.
func TestRotation_survives_a_loss_of_power(t *testing.T) {
	t.Parallel()
	if out, err := exec.CommandContext(t.Context(), "strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace is not installed, or may not trace here: %v %s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.CommandContext(t.Context(), "strace", "--follow-forks", "--decode-fds=path", "-o", log, "--trace=unlinkat,fsync",
		self, "-test.run=^TestRotation_by_size_keeps_and_compresses$")
	cmd.Env = append(os.Environ(), "GOCOVERDIR=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	names := func(call string) (all []string) {
		for _, m := range regexp.MustCompile(call).FindAllStringSubmatch(string(text), -1) {
			all = append(all, m[1])
		}
		return all
	}
	removed, flushed := names(`unlinkat\([^"]*"([^"]*-size\w*\.jsonl)"`), names(`fsync\(\d+<([^>]*\.jsonl\.gz)>`)
	if len(removed) == 0 {
		t.Errorf("nothing was compressed:\n%s", text)
	}
	if closed := names(`fsync\(\d+<([^>]*/decisions\.jsonl)>`); len(closed) == 0 {
		t.Errorf("the file of records is not on the disk when it is closed:\n%s", text)
	}
	for _, name := range removed {
		if !slices.Contains(flushed, name+".gz") {
			t.Errorf("%s was removed, and %s.gz is not on the disk", name, filepath.Base(name))
		}
	}
}
