package intercept_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/intercept"
)

// strictSchemas are the shipped schemas by message, but that they admit no key which they do not name: what we write must be documented.
var strictSchemas = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	all := make(map[string]*jsonschema.Schema)
	for message, text := range map[string]string{intercept.EventMessage: intercept.EventJSONSchema(), intercept.HandshakeMessage: intercept.HandshakeJSONSchema()} {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return nil, err
		}
		closeObjects(document)
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft2020)
		c.AssertFormat()
		if err := c.AddResource(message+".json", document); err != nil {
			return nil, err
		}
		if all[message], err = c.Compile(message + ".json"); err != nil {
			return nil, err
		}
	}
	return all, nil
})

func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			closeObjects(inner)
		}
	case []any:
		for _, inner := range v {
			closeObjects(inner)
		}
	}
}

// validated makes a decision logger check, at the end of the test, every record that passed through it against the shipped schema. Benchmarks
// are left alone: it would be measured.
func validated(tb testing.TB) zap.Option {
	if _, ok := tb.(*testing.B); ok {
		return zap.WrapCore(func(core zapcore.Core) zapcore.Core { return core })
	}
	var j journal
	tb.Cleanup(func() {
		decisions, _ := j.text()
		for line := range strings.Lines(decisions) {
			if err := validRecord([]byte(line)); err != nil {
				tb.Errorf("a record is not as the schema says: %v\n%.2000s", err, line)
			}
		}
	})
	encoding := zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "msg",
		EncodeLevel: zapcore.LowercaseLevelEncoder, EncodeTime: utcNanoseconds, EncodeDuration: zapcore.StringDurationEncoder,
	}
	return zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewTee(core, zapcore.NewCore(zapcore.NewJSONEncoder(encoding), zapcore.AddSync(logPage{&j, &j.decisions}), zap.DebugLevel))
	})
}

func validRecord(line []byte) error {
	schemas, err := strictSchemas()
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err != nil {
		return err
	}
	record, _ := value.(map[string]any)
	message, _ := record["msg"].(string)
	schema := schemas[message]
	if schema == nil {
		return fmt.Errorf("no schema for the message %q", message)
	}
	return schema.Validate(value)
}

// The check of all records must be able to fail.
func TestEventJSONSchema_refuses(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "decision.golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := bytes.Cut(golden, []byte("\n"))
	record := func(change func(map[string]any)) []byte {
		var r map[string]any
		if err := json.Unmarshal(first, &r); err != nil {
			t.Fatal(err)
		}
		r["exchange"] = "0123abcd-1"
		change(r)
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	if err := validRecord(record(func(map[string]any) {})); err != nil {
		t.Errorf("the golden record: %v", err)
	}
	for name, change := range map[string]func(map[string]any){
		"a key is missing":            func(r map[string]any) { delete(r, "policy") },
		"a key is not documented":     func(r map[string]any) { r["password"] = "x" },
		"an inner key is not":         func(r map[string]any) { r["credentials"].(map[string]any)["secret"] = "x" },
		"a suggestion's key is not":   func(r map[string]any) { r["suggestions"].([]any)[0].(map[string]any)["query"] = "x" },
		"an action is unknown":        func(r map[string]any) { r["action"] = "invalid" },
		"a number is text":            func(r map[string]any) { r["status"] = "200" },
		"a time is not in UTC":        func(r map[string]any) { r["time"] = "2025-12-08T22:32:58+01:00" },
		"a time is none":              func(r map[string]any) { r["time"] = "yesterday Z" },
		"a text is longer than bound": func(r map[string]any) { r["path"] = strings.Repeat("a", 300) },
		"a version is another":        func(r map[string]any) { r["schema"] = 2 },
		"no line stands for none":     func(r map[string]any) { r["repeat"] = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			if validRecord(record(change)) == nil {
				t.Error("the schema accepts it")
			}
		})
	}
}
