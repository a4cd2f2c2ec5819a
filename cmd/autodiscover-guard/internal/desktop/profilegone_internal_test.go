package desktop

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// A profile that is not there when its settings are to be taken back: that is said, and they are taken back when it is there again, below another name, too. What
// comes back are its bytes.
func TestOff_profileGone(t *testing.T) {
	t.Parallel()
	const profiles, was = "home/.thunderbird/profiles.ini", "home/.thunderbird/abc.default"
	at := func(w world) *Desktop {
		d := w.desktop()
		d.config.System.MayWrite = func(string) bool { return false } // so that profiles are written to
		return d
	}
	begin := func(t *testing.T) (w world, before map[string]string) {
		t.Helper()
		w = newWorld(t)
		before = w.tree(t)
		results, err := at(w).On(t.Context(), guard, Options{Only: []string{"thunderbird"}})
		must(t, err)
		allGood(t, results)
		must(t, os.Rename(w.path(was), w.path("elsewhere")))
		return w, before
	}
	waits := func(t *testing.T, w world) {
		t.Helper()
		results, err := at(w).Status(t.Context(), false)
		must(t, err)
		results = append(results, off(t, w, Options{})...)
		held := 0
		for _, r := range results {
			if r.State == Held && r.Note == profileGone {
				held++
			}
		}
		if held != 4 || !strings.Contains(w.read(t, "state/desktop.json"), `"waiting"`) {
			t.Errorf("got %+v", results)
		}
	}

	w, before := begin(t)
	waits(t, w)
	must(t, os.Rename(w.path("elsewhere"), w.path(was)))
	results, err := at(w).Recover(t.Context())
	must(t, err)
	allGood(t, results)
	w.same(t, before)

	w, _ = begin(t)
	waits(t, w)
	allGood(t, off(t, w, Options{Force: true}))
	if exists(w.path("state/desktop.json")) {
		t.Error("what was forgotten by force is in the journal")
	}
	if exists(w.path(was)) {
		t.Error("what was forgotten by force is made anew")
	}

	// Another name, of which the program knows; the copy in prefs.js has been made, or not; the settings are put in place once more, or are to point elsewhere by now.
	for i, again := range []string{"", "", guard.PAC, guard.PAC, "http://127.0.0.1:9081/proxy.pac", "http://127.0.0.1:9081/proxy.pac"} {
		copied := i%2 == 1
		w, before = begin(t)
		if copied {
			text := strings.ReplaceAll(w.read(t, "elsewhere/prefs.js"), "proxy.type\", 1", "proxy.type\", 2")
			w.write(t, "elsewhere/prefs.js", text+"user_pref(\"network.proxy.autoconfig_url\", \"http://127.0.0.1:8081/proxy.pac\");\n")
		}
		must(t, os.Rename(w.path("elsewhere"), w.path("home/.thunderbird/new")))
		ini := w.read(t, profiles)
		w.write(t, profiles, strings.ReplaceAll(ini, "abc.default", "new"))
		if again != "" {
			results, err := at(w).On(t.Context(), Target{PAC: again}, Options{Only: []string{"thunderbird"}})
			must(t, err)
			allGood(t, results)
		}
		results, err = at(w).Status(t.Context(), false)
		must(t, err)
		allGood(t, results)
		if on := w.path("home/.thunderbird/new/user.js"); !slices.ContainsFunc(results, func(r Result) bool { return r.Where == on && r.State == On }) {
			t.Errorf("%s is not on: %+v", on, results) // nor anybody else's, whom setup off would leave alone
		}
		allGood(t, off(t, w, Options{}))
		must(t, os.Rename(w.path("home/.thunderbird/new"), w.path(was)))
		w.write(t, profiles, ini)
		w.same(t, before)
	}

	// Two that have it: nobody knows which it was.
	w, _ = begin(t)
	must(t, os.CopyFS(w.path("home/.thunderbird/one"), os.DirFS(w.path("elsewhere"))))
	must(t, os.CopyFS(w.path("home/.thunderbird/two"), os.DirFS(w.path("elsewhere"))))
	w.write(t, profiles, "[Profile0]\nPath=one\n[Profile1]\nPath=two\n")
	waits(t, w)
}
