package desktop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
