//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// rootsJournals is where root's journals are, where the state directory is not root's alone.
const rootsJournals = "/var/lib/" + program + "-root"

// journalDir is the directory of the journals: what is to be taken back of settings, and of trust stores. It is the state directory, but for root where somebody
// else could change that: root writes what a journal says to where it says. So a guard that runs as a user of its own, and whoever breaks into it,
// cannot have root write anything; and root leaves nothing in a user's state directory that the user's own guard may not read.
func journalDir(state string) string {
	if !isAdmin() || isRootsAlone(state) {
		return state
	}
	return rootsJournals
}

// isRootsAlone reports whether nobody but root can change what is in a directory, or put another one in its place. What does not exist is root's to make.
func isRootsAlone(dir string) bool {
	real := dir
	for {
		resolved, err := filepath.EvalSymlinks(real)
		if err == nil {
			real = resolved
			break
		}
		up := filepath.Dir(real)
		if !errors.Is(err, fs.ErrNotExist) || up == real {
			return false
		}
		real = up
	}
	return leadsPastNobody(dir, dir) && leadsPastNobody(real, dir)
}

// leadsPastNobody reports whether every name on the way to a path is root's, and in a directory where others cannot exchange it.
func leadsPastNobody(path, dir string) bool {
	for ; ; path = filepath.Dir(path) {
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil, !isRoots(info, path == dir):
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
	}
}

// isRoots reports whether others can neither change a link or a directory nor, where it is sticky and not the last one, what of root's is in it.
func isRoots(info fs.FileInfo, last bool) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid != 0 {
		return false
	}
	if info.Mode()&fs.ModeSymlink != 0 || info.Mode()&fs.ModeSticky != 0 && !last {
		return true
	}
	return info.Mode()&0o002 == 0 && (info.Mode()&0o020 == 0 || stat.Gid == 0)
}
