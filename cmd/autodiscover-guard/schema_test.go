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
	schemas := map[string]*jsonschema.Schema{}
	for message, text := range map[string]string{intercept.EventMessage: intercept.EventJSONSchema(), intercept.HandshakeMessage: intercept.HandshakeJSONSchema()} {
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.AddResource(message+".json", document); err != nil {
			t.Fatal(err)
		}
		schemas[message] = compiler.MustCompile(message + ".json")
	}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "decisions.jsonl" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			record, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
			if err == nil {
				message, _ := record.(map[string]any)["msg"].(string)
				if message == "records dropped" {
					continue
				}
				err = schemas[message].Validate(record)
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
