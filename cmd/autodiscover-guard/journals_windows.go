package main

import "path/filepath"

// journalDir is the directory of the journals, which is the state directory: its access list is that of the user's profile.
func journalDir(state string) string { return state }

// trustJournal is where the journal of the trust stores is.
func trustJournal(state string) string { return filepath.Join(state, "trust") }

// strayJournal is a journal that is not believed; there is none here.
func strayJournal(string) string { return "" }
