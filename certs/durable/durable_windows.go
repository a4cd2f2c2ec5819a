// Package durable has the names in a directory survive a loss of power; on Windows names need nothing for it.
package durable

import "os"

// SyncDir does nothing.
func SyncDir(string) error { return nil }

// Sync does nothing.
func Sync(*os.File) error { return nil }
