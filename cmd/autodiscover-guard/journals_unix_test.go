//go:build unix

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Root's journal is in the state directory only where nobody else can write one there, or put a directory of his own in its place: root writes what it says to
// where it says. A guard that runs as its own user has that right, also in a directory that root has made below its own.
func TestJournalDir(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		if dir := t.TempDir(); journalDir(dir) != dir {
			t.Errorf("a user's is in %s", journalDir(dir))
		}
		t.Skip("only root can give a directory away")
	}
	for name, prepare := range map[string]func(t *testing.T, top string) (state string, alone bool){
		"root's": func(_ *testing.T, top string) (string, bool) { return top + "/state", true },
		"below a sticky one": func(t *testing.T, top string) (string, bool) {
			chmod(t, top, fs.ModeSticky|0o777)
			return top + "/state", true
		},
		"not there yet": func(_ *testing.T, top string) (string, bool) { return top + "/state/later/still", true },
		"a service's": func(t *testing.T, top string) (string, bool) {
			give(t, top+"/state")
			return top + "/state", false
		},
		"below a service's": func(t *testing.T, top string) (string, bool) { give(t, top); return top + "/state", false },
		"to be made below it": func(t *testing.T, top string) (string, bool) {
			give(t, top+"/state")
			return top + "/state/later", false
		},
		"everybody's": func(t *testing.T, top string) (string, bool) {
			chmod(t, top+"/state", 0o777)
			return top + "/state", false
		},
		"everybody's, sticky": func(t *testing.T, top string) (string, bool) {
			chmod(t, top+"/state", fs.ModeSticky|0o777) // where anybody could have made a journal first
			return top + "/state", false
		},
		"below everybody's": func(t *testing.T, top string) (string, bool) { chmod(t, top, 0o777); return top + "/state", false },
		"a link to a service's": func(t *testing.T, top string) (string, bool) {
			give(t, top+"/state")
			return link(t, top+"/state", top+"/link"), false
		},
		"by a link of a service's": func(t *testing.T, top string) (string, bool) {
			if err := os.Mkdir(top+"/theirs", 0o755); err != nil {
				t.Fatal(err)
			}
			give(t, top+"/theirs")
			return link(t, link(t, top+"/state", top+"/theirs/current"), top+"/link"), false
		},
		"by a link to what a service may make": func(t *testing.T, top string) (string, bool) {
			if err := os.Mkdir(top+"/theirs", 0o755); err != nil {
				t.Fatal(err)
			}
			give(t, top+"/theirs")
			return link(t, top+"/theirs/later", top+"/link"), false
		},
		"a relative link": func(t *testing.T, top string) (string, bool) {
			return link(t, "state", top+"/link"), true
		},
		"a relative link to a service's": func(t *testing.T, top string) (string, bool) {
			give(t, top+"/state")
			return link(t, "./../"+filepath.Base(top)+"/state", top+"/link"), false
		},
		"links in a circle": func(t *testing.T, top string) (string, bool) {
			return link(t, link(t, top+"/there", top+"/back"), top+"/there"), false
		},
		"root's group's": func(t *testing.T, top string) (string, bool) {
			chmod(t, top+"/state", 0o770)
			return top + "/state", true
		},
		"another group's": func(t *testing.T, top string) (string, bool) {
			if err := os.Chown(top+"/state", 0, 4711); err != nil {
				t.Fatal(err)
			}
			chmod(t, top+"/state", 0o770)
			return top + "/state", false
		},
		"another group may read": func(t *testing.T, top string) (string, bool) {
			if err := os.Chown(top+"/state", 0, 4711); err != nil {
				t.Fatal(err)
			}
			chmod(t, top+"/state", 0o750)
			return top + "/state", true
		},
		"below another group's": func(t *testing.T, top string) (string, bool) {
			if err := os.Chown(top, 0, 4711); err != nil {
				t.Fatal(err)
			}
			chmod(t, top, 0o775)
			return top + "/state", false
		},
		"a link of a service's": func(t *testing.T, top string) (string, bool) {
			if err := os.Mkdir(top+"/theirs", 0o755); err != nil {
				t.Fatal(err)
			}
			give(t, top+"/theirs")
			return link(t, top+"/state", top+"/theirs/link"), false
		},
	} {
		top := t.TempDir()
		if err := os.Mkdir(filepath.Join(top, "state"), 0o700); err != nil {
			t.Fatal(err)
		}
		state, alone := prepare(t, top)
		got := journalDir(state)
		if alone != (got == state) || !alone && (filepath.Dir(got) != rootsJournals || got == journalDir(state+"2")) {
			t.Errorf("%s: got %s", name, got)
		}
		if want := map[bool]string{true: state, false: rootsJournals}[alone] + "/trust"; trustJournal(state) != want {
			t.Errorf("%s: got %s, want %s", name, trustJournal(state), want)
		}
	}
}

// No system gets a directory that it does not have.
func TestRootsJournalsOn(t *testing.T) {
	t.Parallel()
	for system, want := range map[string]string{"linux": "/var/lib/autodiscover-guard-root", "darwin": "/var/db/autodiscover-guard-root", "freebsd": "/var/db/autodiscover-guard-root"} {
		if got := rootsJournalsOn(system); got != want {
			t.Errorf("%s: got %s", system, got)
		}
	}
}

func chmod(t *testing.T, dir string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
}

// give gives a directory to a user that need not exist.
func give(t *testing.T, dir string) {
	t.Helper()
	const user = 4711
	if err := os.Chown(dir, user, user); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, name string) string {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// A journal that root left in a directory which is somebody else's now is neither believed nor passed over.
func TestStrayJournal(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "desktop.json")
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := strayJournal(dir); got != "" {
		t.Errorf("root's own: %s", got)
	}
	give(t, dir)
	if got := strayJournal(dir); got != path {
		t.Errorf("got %q, want %q", got, path)
	}
	give(t, path)
	if got := strayJournal(dir); got != "" {
		t.Errorf("a user's own: %s", got)
	}
}
