package certs_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"go.uber.org/goleak"

	"autodiscover-guard/certs"
)

// openerEnv makes the test binary a second process that opens an authority in the named directory, again and again if
// openerLoopEnv is set, and prints the fingerprint; or that does to it what openerDoEnv says.
const (
	openerEnv     = "CERTS_TEST_OPEN"
	openerLoopEnv = "CERTS_TEST_OPEN_LOOP"
	openerDoEnv   = "CERTS_TEST_DO"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(openerEnv); dir != "" {
		if do := os.Getenv(openerDoEnv); do != "" {
			os.Exit(doer(dir, do))
		}
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

// doer does one thing to the authority in dir, on one thread, so that its calls of the system can be counted.
func doer(dir, do string) int {
	runtime.LockOSThread()
	var err error
	switch do {
	case "create":
		_, err = certs.Open(dir, certs.Scope{Names: []string{"example.com"}}, certs.RevocationAt(admin))
	case "import":
		var m certs.Material
		var text []byte
		if text, err = os.ReadFile(dir + ".replica"); err == nil {
			m, err = certs.ReadMaterial(text, "")
		}
		if err == nil {
			err = certs.Import(dir, m)
		}
	default:
		var a *certs.Authority
		if a, err = certs.Existing(dir); err != nil {
			break
		}
		if do == "renew" {
			err = a.Renew()
		} else {
			_, err = a.Widen(certs.Scope{Names: []string{"lab.test"}})
		}
	}
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}
