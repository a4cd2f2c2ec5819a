package main

import (
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// In the directory of the configuration file others write, too: the log, an editor its copy. Only the file's own name counts, and that of the link by which a Kubernetes
// volume is replaced.
func TestConcerns(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"/etc/guard/guard.yaml": true, "/etc/guard/..data": true,
		"/etc/guard/guard.yaml~": false, "/etc/guard/.guard.yaml.swp": false, "/etc/guard/decisions.jsonl": false, "/etc/guard/..data_tmp": false,
	} {
		if got := concerns(name, "/etc/guard/guard.yaml"); got != want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// Who cannot have the file watched is not told that it takes SIGHUP: a change is in force within a second or so all the same.
func TestWatchFile_cannot(t *testing.T) {
	t.Parallel()
	core, logged := observer.New(zap.WarnLevel)
	_, _, stop := watchFile(filepath.Join(t.TempDir(), "none", "guard.yaml"), zap.New(core))
	stop()
	if all := logged.TakeAll(); len(all) != 1 || !strings.Contains(all[0].Message, "looked at once a second") || strings.Contains(all[0].Message, "SIGHUP") {
		t.Errorf("logged %v", all)
	}
}
