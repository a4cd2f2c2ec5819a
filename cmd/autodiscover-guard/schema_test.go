package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"autodiscover-guard/intercept"
)

// recordSchemas are the shipped schemas by message. They are compiled once, and not for each story.
var recordSchemas = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	schemas := map[string]*jsonschema.Schema{}
	for message, text := range map[string]string{intercept.EventMessage: intercept.EventJSONSchema(), intercept.HandshakeMessage: intercept.HandshakeJSONSchema()} {
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return nil, err
		}
		if err := compiler.AddResource(message+".json", document); err != nil {
			return nil, err
		}
		if schemas[message], err = compiler.Compile(message + ".json"); err != nil {
			return nil, err
		}
	}
	return schemas, nil
})

// validRecords holds every decision record that a story left behind against the schema.
func validRecords(t *testing.T, dir string) {
	t.Helper()
	schemas, err := recordSchemas()
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
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
