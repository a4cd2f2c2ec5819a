package main

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"testing"

	"autodiscover-guard/intercept"
)

// newValidator builds what holds the decision records that a story left behind against the shipped schemas. It is a program of its own, since
// the library for that takes a quarter of the time in which a process of a story begins, and none of them uses it.
func newValidator(t *testing.T) func(t *testing.T, dir string) {
	t.Helper()
	folder := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", folder+string(filepath.Separator), "./testdata/validator").CombinedOutput(); err != nil {
		t.Fatalf("the validator of records cannot be built: %v\n%s", err, out)
	}
	schemas := t.TempDir()
	for message, text := range map[string]string{intercept.EventMessage: intercept.EventJSONSchema(), intercept.HandshakeMessage: intercept.HandshakeJSONSchema()} {
		write(t, filepath.Join(schemas, message+".json"), text)
	}
	return func(t *testing.T, dir string) {
		t.Helper()
		args := []string{schemas}
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Name() == "decisions.jsonl" {
				args = append(args, name)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if len(args) == 1 {
			return
		}
		if out, err := exec.CommandContext(t.Context(), filepath.Join(folder, "validator"), args...).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
