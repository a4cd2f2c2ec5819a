package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse: whatever stands in a file, there is a configuration or there are problems, each one line. A configuration can be written
// out and read back.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/valid/*.yaml", "testdata/invalid/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte(Reference()))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("guard.yaml", data)
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || c != nil || strings.Count(e.Error(), "\n")+1 != len(e.Problems) {
				t.Fatalf("got %+v and %T with %q", c, err, err)
			}
			return
		}
		lines := c.Policy.RuleLines // of another file
		text := written(t, c)
		again, err := Parse("guard.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		again.Policy.RuleLines = lines
		if d := cmp.Diff(c, again, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
			t.Fatalf("written and read back (-before +after):\n%s", d)
		}
	})
}
