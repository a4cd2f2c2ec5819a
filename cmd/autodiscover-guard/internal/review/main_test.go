package review_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if built {
			if program, err := generator(); err == nil {
				_ = os.RemoveAll(filepath.Dir(program))
			}
		}
		os.Exit(code)
	}))
}

// built says that some test has asked for the generator.
var built bool
