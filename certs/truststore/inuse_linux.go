package truststore

import (
	"os"
	"path/filepath"
	"strings"
)

// inUse reports which process has one of the files open, as far as this user may see; "" is none. Under a program that has a database open, its
// file must not be replaced.
func inUse(files []string) string {
	wanted := map[string]bool{}
	for _, f := range files {
		wanted[resolved(f)] = true
	}
	descriptors, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, d := range descriptors {
		if target, err := os.Readlink(d); err == nil && wanted[target] {
			return "process " + strings.Split(d, "/")[2] + " has " + target + " open"
		}
	}
	return ""
}
