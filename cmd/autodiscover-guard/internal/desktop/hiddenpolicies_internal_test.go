package desktop

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// A policy file beside the program is not read any more once somebody has made one below /etc: it does not count as being on, until that one is.
func TestStatus_hiddenPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "root/usr/lib/firefox/distribution/policies.json", `{"policies":{"A":1}}`)
	before := w.tree(t)
	allGood(t, on(t, w, Options{}))
	const made, theirs = "root/etc/firefox/policies/policies.json", `{"policies":{"B":1}}`
	w.write(t, made, theirs)
	for again, want := range []string{"changed by somebody: " + w.path(made) + " is there by now, and read in its place: setup on", "on: "} {
		if again == 1 {
			allGood(t, on(t, w, Options{}))
		}
		results, err := w.desktop().Status(t.Context(), false)
		must(t, err)
		if i := slices.IndexFunc(results, func(r Result) bool { return strings.Contains(r.Where, "distribution") }); i < 0 || string(results[i].State)+": "+results[i].Note != want {
			t.Errorf("got %+v, want %s", results, want)
		}
	}
	allGood(t, off(t, w, Options{}))
	if got := w.read(t, made); got != theirs {
		t.Errorf("%s: %s", made, got)
	}
	must(t, os.RemoveAll(w.path("root/etc/firefox")))
	w.same(t, before)
}
