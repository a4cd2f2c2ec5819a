//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
)

func isAdmin() bool { return os.Geteuid() == 0 }

// trustJournal is where the journal of the trust stores is: in the state directory, but for root's where that belongs to somebody else. Root
// puts back what its journal says, so nobody else may write there.
func trustJournal(state string) string {
	if info, err := os.Stat(state); err == nil && isAdmin() {
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 {
			return filepath.Join("/var/lib", program, "trust")
		}
	}
	return filepath.Join(state, "trust")
}
