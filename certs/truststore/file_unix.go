//go:build unix

package truststore

import (
	"io/fs"
	"os"
	"syscall"
)

// atOnce opens without waiting for who is at the other end of a pipe, which a user may have put where root looks for a file.
const atOnce = syscall.O_NONBLOCK

// chownLike gives a file the owner and the group of another.
func chownLike(f *os.File, like fs.FileInfo) error {
	stat, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	if own, ok := mine.Sys().(*syscall.Stat_t); ok && own.Uid == stat.Uid && own.Gid == stat.Gid {
		return nil
	}
	return f.Chown(int(stat.Uid), int(stat.Gid))
}
