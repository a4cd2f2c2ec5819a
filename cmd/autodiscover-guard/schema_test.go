package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"autodiscover-guard/intercept"
)

// validRecords holds every decision record that a story left behind against the schema.
func validRecords(t *testing.T, dir string) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(intercept.EventJSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource("decision.json", document); err != nil {
		t.Fatal(err)
	}
	schema := compiler.MustCompile("decision.json")
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "decisions.jsonl" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, `"msg":"decision"`) {
				continue // "records dropped" is none
			}
			record, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
			if err == nil {
				err = schema.Validate(record)
			}
			if err != nil {
				t.Errorf("%s: not as the schema says: %v\n%s", name, err, line)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
