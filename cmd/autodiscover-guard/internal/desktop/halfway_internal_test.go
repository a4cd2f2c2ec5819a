//go:build unix

package desktop

import (
	"os"
	"strings"
	"testing"
)

// A profile's settings that are taken back by half when the command is killed: the rest goes with the next one, though the profile was moved before, of which what is left tells nothing,
// and though the program was started in between, which fills its copy from user.js once more.
func TestOff_halfOfAProfile(t *testing.T) {
	t.Parallel()
	const was, ini = "home/.thunderbird/abc.default", "home/.thunderbird/profiles.ini"
	for what, c := range map[string]struct{ now, userJS string }{
		"moved": {"home/.thunderbird/new", ""}, "moved, with a user.js": {"home/.thunderbird/new", oldUserJS},
		"started": {was, ""}, "started, with a user.js": {was, oldUserJS},
	} {
		begun := false
		for n, stopped := 0, true; stopped; n++ {
			w := newWorld(t)
			if c.userJS == "" {
				must(t, os.Remove(w.path(was+"/user.js")))
			}
			before := w.tree(t)
			profiles := w.read(t, ini)
			d := w.desktop()
			d.config.System.MayWrite = func(string) bool { return false } // so that profiles are written to
			results, err := d.On(t.Context(), guard, Options{Only: []string{"thunderbird"}})
			must(t, err)
			allGood(t, results)
			if c.now != was {
				must(t, os.Rename(w.path(was), w.path(c.now)))
				w.write(t, ini, strings.ReplaceAll(profiles, "abc.default", "new"))
			}
			start := func() {
				if data, err := os.ReadFile(w.path(c.now + "/user.js")); err == nil && strings.Contains(string(data), guard.PAC) {
					w.write(t, c.now+"/prefs.js", strings.Replace(oldPrefs, `"network.proxy.type", 1`, `"network.proxy.type", 2`, 1)+"user_pref(\"network.proxy.autoconfig_url\", \""+guard.PAC+"\");\n")
				}
			}
			start()
			stopped = until(t, w.desktop(), n, switchOff(t.Context()))
			begun = begun || stopped
			start()
			allGood(t, off(t, w, Options{}))
			if c.now != was {
				must(t, os.Rename(w.path(c.now), w.path(was)))
				w.write(t, ini, profiles)
			}
			w.same(t, before)
			if t.Failed() {
				t.Fatalf("%s: stopped before change %d", what, n)
			}
		}
		if !begun {
			t.Errorf("%s: it was stopped nowhere", what)
		}
	}
}
