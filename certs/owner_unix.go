//go:build unix

package certs

import (
	"io/fs"
	"os"
	"syscall"
)

// chownLike gives a file that root has just made to the owner and the group of another, if that is somebody else; nil is nobody. It acts on what is
// open, so no link is followed. Other users could give nothing away, and what they write where they may is theirs.
func chownLike(f *os.File, like fs.FileInfo) error {
	if like == nil || os.Geteuid() != 0 {
		return nil
	}
	stat, ok := like.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return nil
	}
	return f.Chown(int(stat.Uid), int(stat.Gid))
}
