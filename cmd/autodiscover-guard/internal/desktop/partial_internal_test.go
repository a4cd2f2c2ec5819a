package desktop

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// refusing is a fake that does not write one key.
type refusing struct {
	fake
	key string
}

func (r refusing) Run(ctx context.Context, name string, args ...string) (string, error) {
	if name == "gsettings" && args[0] == "set" && slices.Contains(args, r.key) {
		return "", errors.New("the key is locked")
	}
	return r.fake.Run(ctx, name, args...)
}

// A place that is written in part is taken back like any other; of one that nothing has come of, nothing is kept.
func TestOn_writtenInPart(t *testing.T) {
	t.Parallel()
	for key, remembered := range map[string]bool{gnomeMode: true, gnomePAC: false} { // the address is written first
		w := newWorld(t)
		before := w.tree(t)
		d := w.desktop()
		d.config.System.Run = refusing{fake{w.path("dconf.json")}, key}
		results, err := d.On(t.Context(), guard, Options{Only: []string{"gnome"}})
		if err != nil || len(results) != 1 || results[0].State != Failed {
			t.Errorf("%s: got %+v, %v", key, results, err)
		}
		if got := exists(w.path("state/desktop.json")); got != remembered {
			t.Errorf("%s: there is a journal: %t, want %t", key, got, remembered)
		}
		allGood(t, off(t, w, Options{}))
		w.same(t, before)
	}
}
