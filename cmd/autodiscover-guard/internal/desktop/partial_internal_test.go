package desktop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// refusing is a fake that does not write one key, and says so or does not.
type refusing struct {
	fake
	key string
	err error
}

func (r refusing) Run(ctx context.Context, name string, args ...string) (string, error) {
	if name == "gsettings" && args[0] == "set" && slices.Contains(args, r.key) {
		return "", r.err
	}
	return r.fake.Run(ctx, name, args...)
}

// A place that is written in part is taken back like any other; of one that nothing has come of, nothing is kept.
func TestOn_writtenInPart(t *testing.T) {
	t.Parallel()
	locked := errors.New("it is locked")
	for _, c := range []struct {
		key        string
		err        error
		remembered bool
		note       string
	}{
		{gnomePAC, locked, false, "setting org.gnome.system.proxy autoconfig-url: it is locked"}, // which is written first
		{gnomeMode, locked, true, "setting org.gnome.system.proxy mode: it is locked"},
		{gnomeMode, nil, true, "the settings did not stay: mode is 'manual', want 'auto'"},
	} {
		w := newWorld(t)
		before := w.tree(t)
		d := w.desktop()
		d.config.System.Run = refusing{fake{w.path("dconf.json")}, c.key, c.err}
		results, err := d.On(t.Context(), guard, Options{Only: []string{"gnome"}})
		if err != nil || len(results) != 1 || results[0].State != Failed || results[0].Note != c.note {
			t.Errorf("got %+v, %v; want %q", results, err, c.note)
		}
		if got := exists(w.path("state/desktop.json")); got != c.remembered {
			t.Errorf("%s: there is a journal: %t", c.note, got)
		}
		allGood(t, off(t, w, Options{}))
		w.same(t, before)
	}
}

// Of a file that cannot be written, as on a full disk, nothing is left, and the other places are put in place.
func TestOn_cannotBeWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.tree(t)
	d, policy := w.desktop(), w.path("root/etc/firefox/policies/policies.json")
	d.disk = disk{step: func(what string) {
		if what == "write "+policy+temporarySuffix {
			must(t, os.Remove(filepath.Dir(policy)))
		}
	}}
	results, err := d.On(t.Context(), guard, Options{Only: []string{"firefox", "kde"}})
	if err != nil || len(results) != 2 || results[0].State != On || results[1].State != Failed {
		t.Errorf("got %+v, %v", results, err)
	}
	allGood(t, off(t, w, Options{}))
	w.same(t, before)
}

// What could not be taken back is taken back by the guard's next start, which leaves alone what somebody has changed.
func TestOff_cannotBeWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	allGood(t, on(t, w, Options{}))
	const theirs = "[Proxy Settings]\nProxyType=4\n"
	w.write(t, "home/.config/kioslaverc", theirs)
	d := w.desktop()
	d.config.System.Run = refusing{fake{w.path("dconf.json")}, gnomeMode, errors.New("it is locked")}
	results, err := d.Off(t.Context(), Options{})
	must(t, err)
	states := map[string]State{}
	for _, r := range results {
		states[r.Name] = r.State
	}
	if states["gnome"] != Failed || states["kde"] != Changed || states["firefox"] != Off {
		t.Errorf("got %+v", results)
	}
	results, err = w.desktop().Recover(t.Context())
	must(t, err)
	if len(results) == 0 || slices.ContainsFunc(results, func(r Result) bool { return r.Name == "kde" }) {
		t.Errorf("the next start: got %+v", results)
	}
	allGood(t, results)
	if got := w.read(t, "dconf.json"); got != `{"mode": "'manual'"}` {
		t.Errorf("dconf: %s", got)
	}
	if got := w.read(t, "home/.config/kioslaverc"); got != theirs {
		t.Errorf("kioslaverc: %s", got)
	}
}
