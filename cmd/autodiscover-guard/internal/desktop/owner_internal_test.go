//go:build unix

package desktop

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Root in a user's home (sudo -EH): what it makes there is the user's, whose programs could not read it otherwise, and a link beside a file that it writes is
// not followed.
func TestOn_asRootInAHome(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const user = 4711 // it need not exist
	w := newWorld(t)
	must(t, os.RemoveAll(w.path("home/.config")))
	must(t, os.Remove(w.path("home/.thunderbird/abc.default/user.js")))
	must(t, filepath.WalkDir(w.path("home"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, user, user)
	}))
	before := w.tree(t)
	w.write(t, "root/etc/shadow", "secret")
	must(t, os.Symlink(w.path("root/etc/shadow"), w.path("home/.thunderbird/abc.default/user.js"+temporarySuffix)))
	d := w.desktop()
	d.config.System.MayWrite = func(string) bool { return false } // so that profiles are written to
	results, err := d.On(t.Context(), guard, Options{Environment: true})
	must(t, err)
	allGood(t, results)
	if got := w.read(t, "root/etc/shadow"); got != "secret" {
		t.Errorf("what a link pointed at is %q", got)
	}
	must(t, os.Remove(w.path("root/etc/shadow")))
	made := 0
	must(t, filepath.WalkDir(w.path("home"), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if s, ok := info.Sys().(*syscall.Stat_t); !ok || s.Uid != user || s.Gid != user {
			t.Errorf("%s belongs to %+v", path, s)
		}
		made++
		return nil
	}))
	if made != 10 { // home, two directories of Thunderbird's and three files in them, .config, kioslaverc, environment.d and one file in it
		t.Errorf("there are %d files and directories", made)
	}
	allGood(t, off(t, w, Options{}))
	w.same(t, before)
}

// Root follows a user's link to what is the user's, and no further.
func TestReplace_links(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const user = 4711
	dir, d := t.TempDir(), disk{step: func(string) {}}
	for name, c := range map[string]struct {
		link, target int
		followed     bool
	}{
		"root's to root's": {0, 0, true}, "root's to a user's": {0, user, true}, "a user's to his own": {user, user, true},
		"a user's to root's": {user, 0, false}, "a user's to another's": {user, user + 1, false},
	} {
		target, link := filepath.Join(dir, name), filepath.Join(dir, name+" link")
		must(t, os.WriteFile(target, []byte("before"), 0o600))
		must(t, os.Symlink(target, link))
		must(t, os.Lchown(target, c.target, c.target))
		must(t, os.Lchown(link, c.link, c.link))
		err := d.replace(link, []byte("after"), 0o600)
		text, _ := os.ReadFile(target)
		if (err == nil) != c.followed || string(text) != map[bool]string{true: "after", false: "before"}[c.followed] {
			t.Errorf("%s: %v, %q", name, err, text)
		}

		// The same of a link to a directory on the way, where there is a file, is none yet, and is no directory either.
		target, link = filepath.Join(dir, name+" directory"), filepath.Join(dir, name+" link to a directory")
		must(t, os.Mkdir(target, 0o700))
		must(t, os.WriteFile(filepath.Join(target, "old"), []byte("before"), 0o600))
		must(t, os.Symlink(target, link))
		must(t, os.Lchown(target, c.target, c.target))
		must(t, os.Lchown(link, c.link, c.link))
		for what, err := range map[string]error{
			"a file": d.replace(filepath.Join(link, "old"), []byte("after"), 0o600), "a new file": d.replace(filepath.Join(link, "new"), []byte("after"), 0o600),
			"a directory": d.makeDir(filepath.Join(link, "made"), 0o700), "a file that goes": d.remove(filepath.Join(link, "old")),
		} {
			if (err == nil) != c.followed {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		text, _ = os.ReadFile(filepath.Join(target, "old"))
		if (string(text) == "before") == c.followed || exists(filepath.Join(target, "new"), filepath.Join(target, "made")) != c.followed {
			t.Errorf("%s: the directory has %q", name, text)
		}
	}
}
