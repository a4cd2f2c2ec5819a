//go:build unix

package desktop

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// holdProfile is the child of TestProfileInUse: it locks a profile as Mozilla's programs do, until its input ends.
func holdProfile(dir string) {
	f, err := os.OpenFile(filepath.Join(dir, ".parentlock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		panic(err)
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		panic(err)
	}
	fmt.Println("locked")
	_, _ = os.Stdin.Read(make([]byte, 1))
	os.Exit(0)
}

func TestProfileInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if profileInUse(dir) {
		t.Error("a profile that nobody has opened is in use")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "DESKTOP_TEST_LOCK="+dir)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if !profileInUse(dir) {
		t.Error("a profile that is locked is not in use")
	}
	must(t, in.Close())
	must(t, cmd.Wait())
	if profileInUse(dir) {
		t.Error("a profile whose program has ended is in use")
	}
}

// Firefox 147 and later have their profiles below the directory for configuration, which may be another one, in their packages too.
func TestOn_whichConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, os.Remove(w.path("root/usr/lib/firefox/firefox")))
	must(t, os.Remove(w.path("root/usr/lib/firefox")))
	roots := []string{"home/.mozilla/firefox", "home/.config/mozilla/firefox", "configuration/mozilla/firefox", "home/snap/firefox/common/.config/mozilla/firefox", "home/.var/app/org.mozilla.firefox/config/mozilla/firefox"}
	for _, root := range roots {
		w.write(t, root+"/profiles.ini", "\ufeff[Profile0]\r\nIsRelative=1\r\nPath=Profiles/a\r\n")
		w.write(t, root+"/Profiles/a/prefs.js", "")
	}
	before := w.tree(t)
	d := w.desktop()
	d.config.System.MayWrite = func(string) bool { return false }
	d.config.System.Getenv = func(key string) string {
		return map[string]string{"XDG_CONFIG_HOME": w.path("configuration")}[key]
	}
	results, err := d.On(t.Context(), guard, Options{Only: []string{"firefox"}})
	must(t, err)
	allGood(t, results)
	for _, root := range roots {
		if !exists(w.path(root + "/Profiles/a/user.js")) {
			t.Errorf("nothing below %s", root)
		}
	}
	allGood(t, off(t, w, Options{}))
	w.same(t, before)
}

// Profiles may lie elsewhere (IsRelative=0), and what is named twice is one.
func TestOn_whichProfiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	elsewhere := w.path("elsewhere")
	must(t, os.Mkdir(elsewhere, 0o700))
	w.write(t, "home/.thunderbird/profiles.ini", "[Profile0]\r\nIsRelative=0\r\nPath="+elsewhere+"\r\n[Profile1]\nPath=abc.default\n[Profile2]\nPath=abc.default\n[Profile3]\nPath=gone\n[Other]\nPath=.\n")
	before := w.tree(t)
	d := w.desktop()
	d.config.System.MayWrite = func(string) bool { return false }
	results, err := d.On(t.Context(), guard, Options{Only: []string{"thunderbird"}})
	must(t, err)
	var places []string
	for _, r := range results {
		places = append(places, strings.TrimPrefix(r.Where, w.dir))
	}
	want := "/elsewhere/user.js /elsewhere/prefs.js /home/.thunderbird/abc.default/user.js /home/.thunderbird/abc.default/prefs.js"
	if got := strings.Join(places, " "); got != want {
		t.Errorf("got %s", got)
	}
	allGood(t, off(t, w, Options{}))
	w.same(t, before)
}
