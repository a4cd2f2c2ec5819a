package desktop

import (
	"strings"
	"testing"
)

// What another journal has put in place, or nobody's, points at the guard all the same, also in a file that this process may not write.
func TestPointing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pointing := func(d *Desktop, pac string) string {
		var all []string
		for _, r := range d.Pointing(t.Context(), Target{PAC: pac}) {
			if r.State != On || r.Note != "" {
				t.Errorf("got %+v", r)
			}
			all = append(all, r.Name+" "+strings.TrimPrefix(r.Where, w.dir))
		}
		return strings.Join(all, ", ")
	}
	another := w.desktop()
	another.config.State = w.path("another")
	another.config.System.MayWrite = func(string) bool { return false }
	if got := pointing(another, guard.PAC); got != "" {
		t.Errorf("before: got %s", got)
	}
	allGood(t, on(t, w, Options{Only: []string{"thunderbird", "kde"}}))
	policies := "thunderbird " + strings.TrimPrefix(w.path("root/etc/thunderbird/policies/policies.json"), w.dir)
	if got, want := pointing(another, guard.PAC), "kde /home/.config/kioslaverc, thunderbird /home/.thunderbird/abc.default/user.js, "+policies; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := pointing(another, "http://127.0.0.1:9081/proxy.pac"); got != "" {
		t.Errorf("at another address: got %s", got)
	}
	allGood(t, off(t, w, Options{}))
	if got := pointing(another, guard.PAC); got != "" {
		t.Errorf("afterwards: got %s", got)
	}
}
