package main

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

func isAdmin() bool { return windows.GetCurrentProcessToken().IsElevated() }

// trustJournal is where the journal of the trust stores is.
func trustJournal(state string) string { return filepath.Join(state, "trust") }
