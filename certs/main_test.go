package certs_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"

	"autodiscover-guard/certs"
)

// openerEnv makes the test binary a second process that opens an authority in the named directory, again and again if
// openerLoopEnv is set, and prints the fingerprint.
const (
	openerEnv     = "CERTS_TEST_OPEN"
	openerLoopEnv = "CERTS_TEST_OPEN_LOOP"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(openerEnv); dir != "" {
		os.Exit(opener(dir, os.Getenv(openerLoopEnv) != ""))
	}
	var err error
	if built, err = os.MkdirTemp("", "certs-test"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(built)
		os.Exit(code)
	}))
}

// built is a directory for programs that several tests run, and the first of them builds.
var built string

func build(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

func opener(dir string, loop bool) int {
	for {
		a, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
		if err != nil {
			fmt.Println("error:", err)
			return 1
		}
		fmt.Println(a.Fingerprint())
		_ = a.Close()
		if !loop {
			return 0
		}
		gone := dir + ".gone" // renamed first, so that a kill does not find half an authority in dir
		if err := errors.Join(os.Rename(dir, gone), os.RemoveAll(gone)); err != nil {
			fmt.Println("error:", err)
			return 1
		}
	}
}
