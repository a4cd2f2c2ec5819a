package certs

import "io/fs"

// checkMode accepts everything: Go derives mode bits from the read-only attribute on Windows, and who may read is a
// matter of the access list, which files inherit from the user's profile.
func checkMode(string, fs.FileInfo, fs.FileMode) error { return nil }
