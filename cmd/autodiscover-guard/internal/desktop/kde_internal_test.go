package desktop

import (
	"context"
	"testing"
)

// listening is the fake desktop with programs that run, or without KDE.
type listening struct {
	fake
	told    *int
	without bool
}

func (l listening) Has(name string) bool {
	return !l.without && (name == "dbus-send" || l.fake.Has(name))
}

func (l listening) Run(ctx context.Context, name string, args ...string) (string, error) {
	if name == "dbus-send" {
		*l.told++
		return "", nil
	}
	return l.fake.Run(ctx, name, args...)
}

// KDE's programs that run are told of each change and of nothing else; a computer without KDE is none on which something failed.
func TestKDE_announced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, told := w.tree(t), 0
	d := w.desktop()
	d.config.System.Run = listening{fake: fake{w.path("dconf.json")}, told: &told}
	for i, action := range []func() ([]Result, error){
		func() ([]Result, error) {
			return d.On(t.Context(), guard, Options{Only: []string{"kde"}, DryRun: true})
		},
		func() ([]Result, error) { return d.On(t.Context(), guard, Options{Only: []string{"kde"}}) },
		func() ([]Result, error) { return d.On(t.Context(), guard, Options{Only: []string{"kde"}}) },
		func() ([]Result, error) { return d.Off(t.Context(), Options{}) },
	} {
		results, err := action()
		must(t, err)
		allGood(t, results)
		if want := []int{0, 1, 1, 2}[i]; told != want {
			t.Errorf("after step %d: told %d times, want %d", i, told, want)
		}
	}
	d.config.System.Run = listening{without: true}
	results, err := d.On(t.Context(), guard, Options{Only: []string{"kde"}})
	must(t, err)
	if len(results) != 1 || results[0].State != Absent {
		t.Errorf("without KDE: %+v", results)
	}
	w.same(t, before)
}
