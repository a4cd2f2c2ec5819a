// Command doer does one thing to the authority in a directory, on one thread, so that its calls of the system can be counted:
//
//	doer create|renew|widen|import DIR
//
// Import reads DIR.replica. The exit code is 1 after an error, which is printed.
package main

import (
	"fmt"
	"os"
	"runtime"

	"autodiscover-guard/certs"
)

func main() {
	runtime.LockOSThread()
	if err := do(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func do(what, dir string) error {
	switch what {
	case "create":
		_, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}}, certs.RevocationAt("http://gateway.corp.example:8081"))
		return err
	case "import":
		text, err := os.ReadFile(dir + ".replica")
		if err != nil {
			return err
		}
		m, err := certs.ReadMaterial(text, "")
		if err != nil {
			return err
		}
		return certs.Import(dir, m)
	}
	a, err := certs.OpenExisting(dir)
	if err != nil {
		return err
	}
	if what == "renew" {
		return a.Renew()
	}
	_, err = a.Widen(certs.Scope{Names: []string{"lab.test"}})
	return err
}
