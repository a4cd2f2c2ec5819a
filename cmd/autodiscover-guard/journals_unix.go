//go:build unix

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// rootsJournals is where root's journals are, where the state directory is not root's alone.
var rootsJournals = rootsJournalsOn(runtime.GOOS)

// rootsJournalsOn is the place that a system has for what its programs keep: on Linux FHS 3.0, section 5.8, on macOS and the BSDs hier(7).
func rootsJournalsOn(system string) string {
	if system == "linux" {
		return "/var/lib/" + program + "-root"
	}
	return "/var/db/" + program + "-root"
}

// journalDir is the directory of the journal of settings: what is to be taken back. It is the state directory, but for root where somebody
// else could change that: root writes what a journal says to where it says. So a guard that runs as a user of its own, and whoever breaks into it,
// cannot have root write anything; and root leaves nothing in a user's state directory that the user's own guard may not read. Each state directory has one of its own there.
func journalDir(state string) string {
	if !isAdmin() || isRootsAlone(state) {
		return state
	}
	if abs, err := filepath.Abs(state); err == nil {
		state = abs
	}
	name := sha256.Sum256([]byte(state))
	return filepath.Join(rootsJournals, hex.EncodeToString(name[:8]))
}

// trustJournal is where the journal of the trust stores is. Root's is one for all state directories that are not root's alone: what it says is told apart by the root's fingerprint.
func trustJournal(state string) string {
	if !isAdmin() || isRootsAlone(state) {
		return filepath.Join(state, "trust")
	}
	return filepath.Join(rootsJournals, "trust")
}

// strayJournal is a journal of settings that root made in a state directory before that was given to somebody else; "" where there is none. Who has the directory may have written in it since.
func strayJournal(state string) string {
	path := filepath.Join(state, "desktop.json")
	if info, err := os.Lstat(path); err == nil && journalDir(state) != state && isOwnedByRoot(info) {
		return path
	}
	return ""
}

// maxLinks is how many links the kernel follows (Linux: MAXSYMLINKS).
const maxLinks = 40

// isRootsAlone reports whether nobody but root can change what is in a directory, or put another one in its place, at any name on the way that the kernel goes, links included. What does not
// exist is root's to make.
func isRootsAlone(dir string) bool {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	at, links := "/", 0
	for todo := strings.Split(dir, "/"); len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		if !isRoots(at, false) {
			return false
		}
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return true
		case err != nil:
			return false
		case info.Mode()&fs.ModeSymlink == 0:
			at = next
			continue
		}
		to, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks || !isOwnedByRoot(info) {
			return false
		}
		if filepath.IsAbs(to) {
			at = "/"
		}
		todo = append(strings.Split(to, "/"), todo...)
	}
	return isRoots(at, true)
}

// isRoots reports whether others can neither change a directory nor, where it is sticky and not the last one, what of root's is in it.
func isRoots(dir string, last bool) bool {
	info, err := os.Lstat(dir)
	if err != nil || !isOwnedByRoot(info) {
		return false
	}
	if info.Mode()&fs.ModeSticky != 0 && !last {
		return true
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode()&0o002 == 0 && (info.Mode()&0o020 == 0 || stat.Gid == 0 && !hasAccessList(dir))
}

func isOwnedByRoot(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == 0
}

// hasAccessList reports whether a directory's rights of the group stand for a list of others (acl(5)).
func hasAccessList(dir string) bool {
	n, err := unix.Lgetxattr(dir, "system.posix_acl_access", nil)
	return err == nil && n > 0
}
