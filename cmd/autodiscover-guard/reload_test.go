package main

import "testing"

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
