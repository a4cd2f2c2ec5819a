package main

// journalDir is the directory of the journals, which is the state directory: its access list is that of the user's profile.
func journalDir(state string) string { return state }
