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

// Thunderbird has copied user.js into prefs.js, and written more there.
func TestOff_afterTheProgramRan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	on(t, w, Options{})
	prefs := strings.Replace(oldPrefs, `"network.proxy.type", 1`, `"network.proxy.type", 2`, 1) +
		"user_pref(\"network.proxy.autoconfig_url\", \"http://127.0.0.1:8081/proxy.pac\");\nuser_pref(\"new\", 3);\n"
	w.write(t, "home/.thunderbird/abc.default/prefs.js", prefs)
	d := w.desktop()
	d.config.System.InUse = func(dir string) bool { return filepath.Base(dir) == "abc.default" }
	results, err := d.Off(t.Context(), Options{})
	must(t, err)
	held := 0
	for _, r := range results {
		if r.State == Held {
			held++
		} else if !r.Good() {
			t.Errorf("%+v", r)
		}
	}
	if held != 1 {
		t.Errorf("%d places wait, want 1: %+v", held, results)
	}
	if got := w.read(t, "home/.thunderbird/abc.default/user.js"); got != oldUserJS {
		t.Errorf("user.js:\n%s", got)
	}
	// It has been closed: the guard's next start finishes it.
	results, err = w.desktop().Recover(t.Context())
	must(t, err)
	allGood(t, results)
	if got, want := w.read(t, "home/.thunderbird/abc.default/prefs.js"), oldPrefs+"user_pref(\"new\", 3);\n"; got != want {
		t.Errorf("prefs.js:\n%s\nwant:\n%s", got, want)
	}
	if exists(w.path("state/desktop.json")) {
		t.Error("the journal is still there")
	}
}

// What somebody has changed meanwhile stays, the rest goes, and --force takes it all.
func TestOff_changedBySomebody(t *testing.T) {
	t.Parallel()
	change := func(t *testing.T, w world) {
		w.write(t, "dconf.json", `{"mode": "'none'","autoconfig-url": "'http://127.0.0.1:8081/proxy.pac'"}`)
		w.write(t, "home/.config/kioslaverc", "[Proxy Settings]\nProxyType=4\nProxy Config Script=http://127.0.0.1:8081/proxy.pac\n")
		w.write(t, "root/etc/firefox/policies/policies.json", `{"policies": {"Proxy": {"Mode": "none"}, "Mine": 1}}`)
	}
	t.Run("left alone", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		on(t, w, Options{})
		change(t, w)
		var changed []string
		for _, r := range off(t, w, Options{}) {
			if !r.Good() {
				changed = append(changed, r.Name+": "+string(r.State)+": "+r.Note)
			}
		}
		want := "firefox: changed by somebody: left alone: policies.Proxy is {\"Mode\":\"none\"}; setup off --force restores it\n" +
			"kde: changed by somebody: left alone: ProxyType is 4; setup off --force restores it\n" +
			"gnome: changed by somebody: left alone: mode is 'none'; setup off --force restores it"
		if got := strings.Join(changed, "\n"); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
		if got := w.read(t, "dconf.json"); got != `{"mode": "'none'"}` {
			t.Errorf("dconf: %s", got)
		}
		if got := w.read(t, "home/.config/kioslaverc"); strings.Contains(got, "Script") || !strings.Contains(got, "ProxyType=4") {
			t.Errorf("kioslaverc: %s", got)
		}
		// A start does not report it again, and leaves it; off --force restores it.
		results, err := w.desktop().Recover(t.Context())
		must(t, err)
		if len(results) != 0 {
			t.Errorf("recovered: %+v", results)
		}
		off(t, w, Options{Force: true})
		if got := w.read(t, "dconf.json"); got != `{"mode": "'manual'"}` {
			t.Errorf("after --force, dconf: %s", got)
		}
	})
	t.Run("forced", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		on(t, w, Options{})
		change(t, w)
		allGood(t, off(t, w, Options{Force: true}))
		if got := w.read(t, "dconf.json"); got != `{"mode": "'manual'"}` {
			t.Errorf("dconf: %s", got)
		}
		if got := w.read(t, "root/etc/firefox/policies/policies.json"); got != `{"policies": { "Mine": 1}}` {
			t.Errorf("others' policies are not left as they were: %s", got)
		}
	})
}

// Somebody else, the certificates' installer for one, edits the same file of policies in between. Each undoes its own.
func TestOff_filesOfOthers(t *testing.T) {
	t.Parallel()
	const name = "root/etc/firefox/policies/policies.json"
	const certificates = `{"policies":{"Certificates":{"Install":["/x.pem"]}}}`
	t.Run("added after us, removed after us", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		on(t, w, Options{})
		// Written anew from the parsed document, keys sorted and indented otherwise.
		w.write(t, name, "{\"policies\":{\"Certificates\":{\"Install\":[\"/x.pem\"]},\n\"Proxy\":{\"AutoConfigURL\":\"http://127.0.0.1:8081/proxy.pac\",\n\"Locked\":false,\"Mode\":\"autoConfig\"}}}")
		allGood(t, off(t, w, Options{}))
		if got := w.read(t, name); got != certificates {
			t.Errorf("got  %s\nwant %s", got, certificates)
		}
	})
	t.Run("added after us, removed before us", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		before := w.tree(t)
		on(t, w, Options{})
		ours := w.read(t, name)
		w.write(t, name, strings.Replace(ours, "{\n", "{ ", 1))
		w.write(t, name, ours)
		allGood(t, off(t, w, Options{}))
		w.same(t, before)
	})
	t.Run("said nothing before us", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.write(t, name, "{}")
		before := w.tree(t)
		on(t, w, Options{})
		w.write(t, name, strings.ReplaceAll(w.read(t, name), "\n", ""))
		allGood(t, off(t, w, Options{}))
		if got := w.read(t, name); got != `{  "policies": {  }}` {
			t.Errorf("got %s", got)
		}
		w.write(t, name, "{}")
		w.same(t, before)
	})
	t.Run("filled after us", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		must(t, os.Remove(w.path("home/.config/kioslaverc")))
		on(t, w, Options{})
		const theirs = "x=1\n"
		names := []string{"home/.config/kioslaverc", "home/.config/environment.d/60-autodiscover-guard.conf"}
		for _, name := range names {
			w.write(t, name, w.read(t, name)+theirs)
		}
		allGood(t, off(t, w, Options{}))
		for _, name := range names {
			if got := w.read(t, name); !strings.HasSuffix(got, theirs) || strings.Contains(got, "127.0.0.1") {
				t.Errorf("%s:\n%s", name, got)
			}
		}
	})
	t.Run("added before us, removed before us", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		before := w.tree(t)
		w.write(t, name, certificates)
		on(t, w, Options{})
		w.write(t, name, `{"policies":{"Proxy":{"AutoConfigURL":"http://127.0.0.1:8081/proxy.pac","Locked":false,"Mode":"autoConfig"}}}`)
		allGood(t, off(t, w, Options{}))
		must(t, os.Remove(filepath.Dir(w.path(name)))) // empty: the file that said nothing any more is gone
		must(t, os.Remove(w.path("root/etc/firefox")))
		w.same(t, before)
	})
}

func TestOn_whatIsNotOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "dconf.json", `{"mode": "'auto'","autoconfig-url": "'http://127.0.0.1:8081/proxy.pac'"}`)
	w.write(t, "home/.config/kioslaverc", "[Proxy Settings]\nProxyType=2\nProxy Config Script=http://127.0.0.1:7777/proxy.pac\n")
	w.write(t, "root/etc/thunderbird/policies/policies.json", `{"policies": {"Proxy": {}, "Proxy": {}}}`)
	before := w.tree(t)
	states := map[string]Result{}
	for _, r := range on(t, w, Options{}) {
		if _, first := states[r.Name]; !first {
			states[r.Name] = r
		}
	}
	for name, want := range map[string]string{
		"gnome": "on: it was so before", "kde": "failed: left as it is: another guard's settings", "thunderbird": "failed: left as it is: reading",
	} {
		if got := string(states[name].State) + ": " + states[name].Note; !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	allGood(t, off(t, w, Options{}))
	w.same(t, before)
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
