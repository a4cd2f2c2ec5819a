//go:build unix

package secretfile

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// judge refuses a file that others may use.
func judge(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	roots := ok && s.Uid == 0
	mode := info.Mode().Perm()
	what := "used"
	switch wrong := mode & forbidden(roots); {
	case wrong == 0:
		return nil
	case wrong&0o044 != 0:
		what = "read"
	case wrong&0o022 != 0:
		what = "written"
	}
	want := "chmod 600, or 640 and root as its owner"
	if roots {
		want = "chmod 600, or 640"
	}
	return fmt.Errorf("%s can be %s by others (mode %04o); want %s", f.Name(), what, mode, want)
}

// forbidden are the rights that nobody may have to a file of root's, or of somebody else's.
func forbidden(roots bool) fs.FileMode {
	if roots {
		return 0o037
	}
	return 0o077
}
