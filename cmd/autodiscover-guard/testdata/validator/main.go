// Command validator holds decision records against JSON Schemas:
//
//	validator SCHEMAS FILE...
//
// SCHEMAS is a folder in which MESSAGE.json is the schema of the records with that message. What is not as its schema says is listed, and the exit
// code is 1 then.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func main() {
	schemas, err := compile(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	failed := false
	for _, name := range os.Args[2:] {
		text, err := os.ReadFile(name)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		for line := range strings.Lines(string(text)) {
			if err := validate(schemas, line); err != nil {
				fmt.Printf("%s: not as the schema says: %v\n%s", name, err, line)
				failed = true
			}
		}
	}
	if failed {
		os.Exit(1)
	}
}

// compile reads the schemas by message.
func compile(dir string) (map[string]*jsonschema.Schema, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("%s: no schemas, %w", dir, err)
	}
	schemas := map[string]*jsonschema.Schema{}
	for _, name := range names {
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		schema, err := compiler.Compile(name)
		if err != nil {
			return nil, err
		}
		schemas[strings.TrimSuffix(filepath.Base(name), ".json")] = schema
	}
	return schemas, nil
}

func validate(schemas map[string]*jsonschema.Schema, line string) error {
	record, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
	if err != nil {
		return err
	}
	fields, _ := record.(map[string]any)
	message, _ := fields["msg"].(string)
	if message == "records dropped" {
		return nil
	}
	schema := schemas[message]
	if schema == nil {
		return fmt.Errorf("no schema for the message %q", message)
	}
	return schema.Validate(record)
}
