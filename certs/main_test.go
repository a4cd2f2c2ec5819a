package certs_test

import (
	"errors"
	"fmt"
	"os"
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
	goleak.VerifyTestMain(m)
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
