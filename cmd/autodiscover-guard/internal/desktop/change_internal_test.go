package desktop

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOnAndOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.tree(t)
	allGood(t, on(t, w, Options{}))
	for name, want := range map[string]string{
		"root/etc/thunderbird/policies/policies.json":           `"AutoConfigURL":"http://127.0.0.1:8081/proxy.pac"`,
		"root/etc/firefox/policies/policies.json":               `"Mode":"autoConfig"`,
		"home/.thunderbird/abc.default/user.js":                 `user_pref('network.proxy.type', 2); // off`,
		"home/.config/kioslaverc":                               "Proxy Config Script=http://127.0.0.1:8081/proxy.pac\n",
		"home/.config/environment.d/60-autodiscover-guard.conf": "https_proxy=http://127.0.0.1:8080\n",
		"dconf.json":         `"autoconfig-url": "'http://127.0.0.1:8081/proxy.pac'"`,
		"state/desktop.json": `"phase": "in place"`,
	} {
		if text := w.read(t, name); !strings.Contains(text, want) {
			t.Errorf("%s: no %q in\n%s", name, want, text)
		}
	}
	if text := w.read(t, "root/etc/thunderbird/policies/policies.json"); !strings.Contains(text, `"Certificates": {"Install": [ "/etc/corp.pem" ]}, "DisableTelemetry": true`) {
		t.Errorf("other policies are not as they were:\n%s", text)
	}
	for name, want := range map[string]fs.FileMode{ // whatever the umask; that of TestMain leaves nothing to others
		"root/etc/firefox": fs.ModeDir | 0o755, "root/etc/firefox/policies": fs.ModeDir | 0o755, "root/etc/firefox/policies/policies.json": 0o644,
		"home/.config/environment.d": fs.ModeDir | 0o700, "home/.config/environment.d/60-autodiscover-guard.conf": 0o600, "state/desktop.json": 0o600,
	} {
		if info, err := os.Stat(w.path(name)); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, want %v (%v)", name, info.Mode(), want, err)
		}
	}
	if text := w.read(t, "home/.thunderbird/abc.default/prefs.js"); text != oldPrefs {
		t.Errorf("prefs.js was written, which is the program's:\n%s", text)
	}
	allGood(t, off(t, w, Options{}))
	w.same(t, before)
}

// Once on, on again, as often as somebody likes: the first values are those that come back.
func TestOn_twice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.tree(t)
	allGood(t, on(t, w, Options{}))
	once := w.tree(t)
	allGood(t, on(t, w, Options{}))
	w.same(t, once)
	results, err := w.desktop().On(t.Context(), Target{PAC: "http://127.0.0.1:9999/proxy.pac", Proxy: "http://127.0.0.1:9998"}, Options{Environment: true})
	must(t, err)
	allGood(t, results)
	allGood(t, off(t, w, Options{}))
	w.same(t, before)
}

// What was put in place comes back from where it was put, though setup would choose another place today.
func TestOff_notChosenToday(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "root/usr/lib/firefox/distribution/policies.json", oldPolicies)
	before := w.tree(t)
	allGood(t, on(t, w, Options{}))
	prefs := w.path("home/.thunderbird/abc.default/prefs.js")
	must(t, os.WriteFile(prefs, []byte(oldPrefs+"user_pref(\"network.proxy.autoconfig_url\", \"http://127.0.0.1:8081/proxy.pac\");\n"), 0o600))
	profiles := w.path("home/.thunderbird/profiles.ini")
	must(t, os.Rename(profiles, profiles+".old"))
	w.write(t, "root/etc/firefox/policies/policies.json", "{}")
	status, err := w.desktop().Status(t.Context(), true)
	must(t, err)
	inProfile := slices.DeleteFunc(status, func(r Result) bool { return filepath.Dir(r.Where) != filepath.Dir(prefs) || r.State != On })
	if len(inProfile) != 2 {
		t.Errorf("status knows of %+v, want user.js and prefs.js", inProfile)
	}
	allGood(t, off(t, w, Options{}))
	must(t, os.Rename(profiles+".old", profiles))
	must(t, os.RemoveAll(w.path("root/etc/firefox")))
	w.same(t, before)
}

func TestOn_dryRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.tree(t)
	results := on(t, w, Options{DryRun: true})
	w.same(t, before)
	if len(results) == 0 || len(results[0].Changes) != 2 || results[0].Changes[1] != (Change{"mode", "'manual'", "'auto'"}) {
		t.Errorf("results: %+v", results)
	}
	on(t, w, Options{})
	changed := w.tree(t)
	if results := off(t, w, Options{DryRun: true}); len(results) == 0 || len(results[0].Changes) != len(environmentKeys) {
		t.Errorf("results of off: %+v", results)
	}
	w.same(t, changed)
	d := w.desktop()
	d.config.System.InUse = func(string) bool { return true }
	_, err := d.Off(t.Context(), Options{DryRun: true})
	must(t, err)
	w.same(t, changed)
}

// A user without rights is covered by user.js; a policy file that exists beside the program is not hidden by a new one.
func TestOn_whichFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "root/usr/lib/firefox/distribution/policies.json", `{"policies":{"A":1}}`)
	before := w.tree(t)
	on(t, w, Options{})
	if exists(w.path("root/etc/firefox")) {
		t.Error("a file below /etc hides the policies beside the program")
	}
	if got := w.read(t, "root/usr/lib/firefox/distribution/policies.json"); !strings.Contains(got, `"Proxy"`) {
		t.Errorf("distribution: %s", got)
	}
	off(t, w, Options{})
	w.same(t, before)

	d := w.desktop()
	d.config.System.MayWrite = func(string) bool { return false }
	w.write(t, "home/.thunderbird/abc.default/prefs.js", "user_pref(\"a\", 1);\n") // no proxy of its own
	before = w.tree(t)
	results, err := d.On(t.Context(), guard, Options{})
	must(t, err)
	var kinds []string
	for _, r := range results {
		note, _, _ := strings.Cut(r.Note, w.dir)
		kinds = append(kinds, r.Name+" "+filepath.Base(r.Where)+" "+string(r.State)+": "+note)
	}
	want := "gnome org.gnome.system.proxy on: in the place of another proxy: proxy mode 'manual', kde kioslaverc on: , thunderbird user.js on: from the next start of thunderbird, " +
		"thunderbird prefs.js on: thunderbird copies user.js into it, firefox policies.json not present: no right to write "
	if got := strings.Join(kinds, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	off(t, w, Options{})
	w.same(t, before)
}

func TestOn_symbolicLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "home/dotfiles/kioslaverc", oldKDE)
	must(t, os.Remove(w.path("home/.config/kioslaverc")))
	must(t, os.Symlink("../dotfiles/kioslaverc", w.path("home/.config/kioslaverc")))
	before := w.tree(t)
	on(t, w, Options{})
	if got := w.read(t, "home/dotfiles/kioslaverc"); !strings.Contains(got, "proxy.pac") {
		t.Errorf("what the link points at was not written:\n%s", got)
	}
	off(t, w, Options{})
	w.same(t, before)

	must(t, os.Remove(w.path("home/dotfiles/kioslaverc")))
	before = w.tree(t)
	on(t, w, Options{})
	off(t, w, Options{})
	w.same(t, before)
}

func TestSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.tree(t)
	on(t, w, Options{Session: true})
	state := func(guardRuns bool) State {
		results, err := w.desktop().Status(t.Context(), guardRuns)
		must(t, err)
		return results[0].State
	}
	if got := state(true); got != On {
		t.Errorf("while the guard runs: %s", got)
	}
	if got := state(false); got != Left {
		t.Errorf("when it is gone: %s", got)
	}
	results, err := w.desktop().End(t.Context())
	must(t, err)
	allGood(t, results)
	w.same(t, before)

	// Settings that were put in place to stay do, whatever a guard with the same address does.
	on(t, w, Options{})
	stay := w.tree(t)
	on(t, w, Options{Session: true})
	_, err = w.desktop().End(t.Context())
	must(t, err)
	_, err = w.desktop().Recover(t.Context())
	must(t, err)
	w.same(t, stay)
	if _, err := w.desktop().On(t.Context(), Target{PAC: "http://127.0.0.1:1/proxy.pac"}, Options{Session: true}); err == nil {
		t.Error("a session with another address replaced settings that were put in place to stay")
	}
	off(t, w, Options{})
	w.same(t, before)
}

func TestOn_refuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.tree(t)
	for _, c := range []struct {
		target Target
		o      Options
	}{
		{Target{PAC: ""}, Options{}},
		{Target{PAC: "http://127.0.0.1/'; x"}, Options{}},
		{Target{PAC: "ftp://127.0.0.1/proxy.pac"}, Options{}},
		{Target{PAC: guard.PAC}, Options{Environment: true}},
		{Target{PAC: guard.PAC}, Options{Only: []string{"environment"}}},
		{guard, Options{Only: []string{"gnom"}}},
	} {
		if _, err := w.desktop().On(t.Context(), c.target, c.o); err == nil {
			t.Errorf("%+v %+v: no error", c.target, c.o)
		}
	}
	w.write(t, "state/desktop.json", "{")
	if _, err := w.desktop().On(t.Context(), guard, Options{}); err == nil {
		t.Error("a journal that cannot be read was ignored")
	}
	must(t, os.Remove(w.path("state/desktop.json")))
	w.same(t, before)
}
