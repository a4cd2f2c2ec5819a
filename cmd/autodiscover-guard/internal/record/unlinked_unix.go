//go:build unix

package record

import (
	"io/fs"
	"syscall"
)

// unlinked reports whether an open file has no name any more: what is written to it is lost.
func unlinked(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Nlink == 0
}
