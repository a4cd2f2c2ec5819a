//go:build linux

package desktop

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Another home than the session's, as after "sudo -EH": what is written arrives in the session, and what is read is somebody else's. Nothing is written there,
// and what was put in place in the session is not taken for gone.
func TestGNOME_anotherHome(t *testing.T) {
	t.Parallel()
	s, run := realWorld(t, "dbus-daemon", "gsettings", "dconf", "gdbus")
	if _, err := run.Run(t.Context(), "gsettings", "list-keys", gnomeSchema); err != nil {
		t.Skipf("gsettings-desktop-schemas is not installed: %v", err)
	}
	s.Root = "" // where /proc is
	must(t, os.Symlink(s.Home, filepath.Join(s.Home, "link")))
	env := map[string]string{}
	for _, key := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"} {
		env[key] = s.Getenv(key)
	}
	state := filepath.Join(s.Home, "state")
	desk := func(differs map[string]string) *Desktop {
		all := maps.Clone(env)
		maps.Copy(all, differs)
		environ := []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if all[key] != "" {
				environ = append(environ, key+"="+all[key])
			}
		}
		other := s
		other.Getenv = func(key string) string { return all[key] }
		other.Run = programs{func() []string { return environ }}
		return New(Config{State: state, System: other})
	}
	proxy := func() string {
		out, err := run.Run(t.Context(), "dconf", "dump", "/")
		must(t, err)
		return out
	}
	wrong := []map[string]string{
		{"XDG_CONFIG_HOME": filepath.Join(s.Home, "other")},
		{"XDG_CONFIG_HOME": "", "HOME": t.TempDir()},
		{"XDG_CONFIG_HOME": "other"}, // GLib does not mind, and has it begin where the program was started
	}
	for _, env := range wrong {
		results, err := desk(env).On(t.Context(), guard, Options{Only: []string{"gnome"}})
		must(t, err)
		if r := results[0]; r.State != Failed || !strings.Contains(r.Note, "the session keeps its settings below "+s.Home+"/.config") {
			t.Errorf("%v: %+v", env, r)
		}
		if got := proxy(); got != "" || exists(journalPath(state)) {
			t.Errorf("%v: the session has %q", env, got)
		}
	}
	results, err := desk(map[string]string{"XDG_CONFIG_HOME": filepath.Join(s.Home, "link", ".config")}).On(t.Context(), guard, Options{Only: []string{"gnome"}})
	must(t, err)
	allGood(t, results)
	on := proxy()
	for _, env := range wrong {
		results, err := desk(env).Off(t.Context(), Options{})
		must(t, err)
		if len(results) != 1 || results[0].State != Failed || !exists(journalPath(state)) || proxy() != on {
			t.Errorf("%v: %+v", env, results)
		}
		results, err = desk(env).Status(t.Context(), false)
		must(t, err)
		if r := results[0]; r.State != Failed || !strings.Contains(r.Note, "run it as the user of the desktop") {
			t.Errorf("%v: %+v", env, r)
		}
	}
	results, err = desk(nil).Off(t.Context(), Options{})
	must(t, err)
	allGood(t, results)
	if got := proxy(); got != "" || exists(journalPath(state)) {
		t.Errorf("after all the session has %q", got)
	}
}

// A session's bus that says nothing is waited for once, and not for long: each command asks it.
func TestGNOME_busHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		why := gnome{system: System{Getenv: func(string) string { return "" }, Run: hangs{}}}.elsewhere(t.Context())
		if took := time.Since(begun); why != "" || took > busTime {
			t.Errorf("%q after %v", why, took)
		}
	})
}

// hangs has programs that never answer.
type hangs struct{}

func (hangs) Has(string) bool { return true }

func (hangs) Run(ctx context.Context, _ string, _ ...string) (string, error) {
	select {
	case <-ctx.Done():
	case <-time.After(runTimeout):
	}
	return "", context.DeadlineExceeded
}
