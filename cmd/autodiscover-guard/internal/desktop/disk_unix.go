//go:build unix

package desktop

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// keepOwner gives a file that will replace another the owner of that one, which differs where root works on a user's file, and its group. A file that is new is
// its directory's owner's, where root makes it: programs of a user could not read it otherwise.
func keepOwner(f *os.File, path string) error {
	old, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return inheritOwner(path, f.Chown)
	}
	if err != nil {
		return err
	}
	s, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if int(s.Uid) == os.Geteuid() {
		_ = f.Chown(-1, int(s.Gid)) // an owner may have left the group, and then has to do without it
		return nil
	}
	return f.Chown(int(s.Uid), int(s.Gid))
}

// inheritOwner gives a new file or directory of root's to the owner of the directory that it is in.
func inheritOwner(path string, chown func(uid, gid int) error) error {
	if os.Geteuid() != 0 {
		return nil
	}
	above, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	s, ok := above.Sys().(*syscall.Stat_t)
	if !ok || s.Uid == 0 {
		return nil
	}
	return chown(int(s.Uid), int(s.Gid))
}

// setDirMode gives a directory that was just made its mode, and its owner where root has made it. A link that somebody has put in its place meanwhile is not followed.
func setDirMode(path string, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Chmod(mode); err != nil {
		return err
	}
	return inheritOwner(path, f.Chown)
}

// mayFollow refuses to have root follow somebody's link to what is not his, as Linux does in directories of everybody's (protected_symlinks), wherever on the way to a
// file it is. Who exchanges a directory at that very moment is not kept from it.
func mayFollow(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for up := filepath.Dir(path); ; path, up = up, filepath.Dir(up) {
		if err := mayFollowLink(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if up == path {
			return nil
		}
	}
}

func mayFollowLink(link string) error {
	at, err := os.Lstat(link)
	if err != nil || at.Mode()&fs.ModeSymlink == 0 {
		return err
	}
	target, err := filepath.EvalSymlinks(link)
	if err != nil {
		return err
	}
	to, err := os.Lstat(target)
	if err != nil {
		return err
	}
	of, ok := at.Sys().(*syscall.Stat_t)
	is, also := to.Sys().(*syscall.Stat_t)
	if !ok || !also || of.Uid != 0 && of.Uid != is.Uid {
		return fmt.Errorf("%s is a link of another user's to %s, which is not theirs: it is not followed", link, target)
	}
	return nil
}

// mayWrite reports whether this process may write a file, or make it where it is not there.
func mayWrite(path string) bool {
	for {
		if _, err := os.Lstat(path); err == nil {
			return unix.Access(path, unix.W_OK) == nil && unix.Access(filepath.Dir(path), unix.W_OK) == nil
		}
		if up := filepath.Dir(path); up != path {
			path = up
			if _, err := os.Lstat(path); err == nil {
				return unix.Access(path, unix.W_OK) == nil
			}
			continue
		}
		return false
	}
}

// profileInUse asks whether a program of Mozilla's holds a profile: it keeps a POSIX lock on .parentlock while it runs
// (toolkit/profile/nsProfileLock.cpp), which goes with the process, unlike the link "lock" beside it.
func profileInUse(dir string) bool {
	f, err := os.Open(filepath.Join(dir, ".parentlock"))
	if err != nil {
		return false
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	return unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock) == nil && lock.Type != unix.F_UNLCK
}

// notifyWinINET is for Windows alone.
func notifyWinINET() {}
