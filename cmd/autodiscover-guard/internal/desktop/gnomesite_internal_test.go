//go:build linux

package desktop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the administrator has given to everybody (dconf(7), "system-db") is not the user's own: it is not set for him when the settings are taken back, so that he
// follows it when it changes. What is locked is left alone whole.
func TestGNOME_whatTheComputerHas(t *testing.T) {
	t.Parallel()
	const site = "[system/proxy]\nmode='%'\nautoconfig-url='http://corp.example/a.pac'\n"
	for name, c := range map[string]struct {
		given, lock, own string
		state            State
		note, on         string
	}{
		"a PAC":         {given: strings.Replace(site, "%", "auto", 1), state: On, note: "in the place of another proxy: proxy mode 'auto'", on: "[system/proxy]\nautoconfig-url='http://127.0.0.1:8081/proxy.pac'\nmode='auto'\n"},
		"another mode":  {given: strings.Replace(site, "%", "none", 1), state: On, on: "[system/proxy]\nautoconfig-url='http://127.0.0.1:8081/proxy.pac'\nmode='auto'\n"},
		"one's own":     {given: strings.Replace(site, "%", "auto", 1), own: "'manual'", state: On, note: "in the place of another proxy: proxy mode 'manual'", on: "[system/proxy]\nautoconfig-url='http://127.0.0.1:8081/proxy.pac'\nmode='auto'\n"},
		"the guard's":   {given: "[system/proxy]\nmode='auto'\nautoconfig-url='http://127.0.0.1:8081/proxy.pac'\n", state: On, note: "it was so before, and setup off leaves it so", on: "[system/proxy]\nautoconfig-url='http://127.0.0.1:8081/proxy.pac'\nmode='auto'\n"},
		"a locked mode": {given: strings.Replace(site, "%", "none", 1), lock: "/system/proxy/mode\n", state: Failed, note: "the computer's administrator has locked org.gnome.system.proxy mode", on: strings.Replace("[system/proxy]\nautoconfig-url='http://corp.example/a.pac'\nmode='%'\n", "%", "none", 1)},
	} {
		s, run := realWorld(t, "dbus-daemon", "gsettings", "dconf")
		if _, err := run.Run(t.Context(), "gsettings", "list-keys", gnomeSchema); err != nil {
			t.Skipf("gsettings-desktop-schemas is not installed: %v", err)
		}
		keys := filepath.Join(s.Home, "site.d")
		must(t, os.MkdirAll(filepath.Join(keys, "locks"), 0o700))
		must(t, os.WriteFile(filepath.Join(keys, "site"), []byte(c.given), 0o600))
		must(t, os.WriteFile(filepath.Join(keys, "locks", "site"), []byte(c.lock), 0o600))
		_, err := run.Run(t.Context(), "dconf", "compile", filepath.Join(s.Home, "site"), keys)
		must(t, err)
		must(t, os.Mkdir(filepath.Join(s.Home, "run", "dconf"), 0o700))
		must(t, os.WriteFile(filepath.Join(s.Home, "run", "dconf", "profile"), []byte("user-db:user\nfile-db:"+filepath.Join(s.Home, "site")+"\n"), 0o600))
		if c.own != "" {
			_, err := run.Run(t.Context(), "dconf", "write", gnomePath+gnomeMode, c.own)
			must(t, err)
		}
		desk := func() *Desktop { return New(Config{State: filepath.Join(s.Home, "state"), System: s}) }
		results, err := desk().On(t.Context(), guard, Options{Only: []string{"gnome"}})
		must(t, err)
		if results[0].State != c.state || results[0].Note != c.note {
			t.Errorf("%s: got %s, %q", name, results[0].State, results[0].Note)
		}
		if got, err := run.Run(t.Context(), "dconf", "dump", "/"); err != nil || got != c.on {
			t.Errorf("%s: on: got %q, %v", name, got, err)
		}
		results, err = desk().Off(t.Context(), Options{})
		must(t, err)
		allGood(t, results)
		for _, key := range []string{gnomeMode, gnomePAC} { // the database alone, without what the computer has
			must(t, os.WriteFile(filepath.Join(s.Home, "run", "dconf", "profile"), []byte("user-db:user\n"), 0o600))
			want := map[string]string{gnomeMode: c.own}[key]
			if got, err := run.Run(t.Context(), "dconf", "read", gnomePath+key); err != nil || strings.TrimSpace(got) != want {
				t.Errorf("%s: off: %s is %q, %v; want %q", name, key, got, err, want)
			}
		}
	}
}

// Nor does what is given to everybody meanwhile keep what was set from being taken back, where it is the same: a fleet's programs may send all to the guard by then.
func TestGNOME_whatTheComputerGets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		own   string
		again bool
	}{"nothing of one's own": {}, "another mode": {own: "'manual'"}, "put in place once more": {again: true}} {
		s, run := realWorld(t, "dbus-daemon", "gsettings", "dconf")
		if _, err := run.Run(t.Context(), "gsettings", "list-keys", gnomeSchema); err != nil {
			t.Skipf("gsettings-desktop-schemas is not installed: %v", err)
		}
		keys, profile := filepath.Join(s.Home, "site.d"), filepath.Join(s.Home, "run", "dconf", "profile")
		must(t, os.Mkdir(keys, 0o700))
		must(t, os.WriteFile(filepath.Join(keys, "site"), []byte("[system/proxy]\nmode='auto'\nautoconfig-url='"+guard.PAC+"'\n"), 0o600))
		_, err := run.Run(t.Context(), "dconf", "compile", filepath.Join(s.Home, "site"), keys)
		must(t, err)
		if c.own != "" {
			_, err := run.Run(t.Context(), "dconf", "write", gnomePath+gnomeMode, c.own)
			must(t, err)
		}
		desk := func() *Desktop { return New(Config{State: filepath.Join(s.Home, "state"), System: s}) }
		only := Options{Only: []string{"gnome"}}
		results, err := desk().On(t.Context(), guard, only)
		must(t, err)
		allGood(t, results)
		must(t, os.MkdirAll(filepath.Dir(profile), 0o700))
		must(t, os.WriteFile(profile, []byte("user-db:user\nfile-db:"+filepath.Join(s.Home, "site")+"\n"), 0o600))
		if c.again {
			results, err = desk().On(t.Context(), guard, only)
			must(t, err)
			allGood(t, results)
		}
		results, err = desk().Status(t.Context(), false)
		must(t, err)
		if results[0].State != On || results[0].Note != "" {
			t.Errorf("%s: got %+v", name, results[0])
		}
		results, err = desk().Off(t.Context(), Options{})
		must(t, err)
		allGood(t, results)
		must(t, os.WriteFile(profile, []byte("user-db:user\n"), 0o600))
		want := ""
		if c.own != "" {
			want = "[system/proxy]\nmode=" + c.own + "\n"
		}
		if got, err := run.Run(t.Context(), "dconf", "dump", "/"); err != nil || got != want {
			t.Errorf("%s: %q is left, %v; want %q", name, got, err, want)
		}
	}
}
