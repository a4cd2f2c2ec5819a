package desktop

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// asked is the fake desktop with a service that evaluates PACs, which was asked for the lines.
type asked struct {
	fake
	answer string
	err    error
	lines  []string
}

func (a *asked) Has(name string) bool { return name == "gdbus" || a.fake.Has(name) }

func (a *asked) Run(ctx context.Context, name string, args ...string) (string, error) {
	if name != "gdbus" {
		return a.fake.Run(ctx, name, args...)
	}
	if slices.Contains(args, dconfService) { // see elsewhere
		return "", errors.New("unknown service")
	}
	a.lines = append(a.lines, strings.Join(args[len(args)-2:], " "))
	return a.answer, a.err
}

// A setting that is in place, and that GIO's programs do not follow, is told of while a guard serves the PAC; without one everything goes direct anyway.
func TestStatus_unheeded(t *testing.T) {
	const direct = "(['direct://'],)\n"
	for name, c := range map[string]struct {
		a         *asked
		desktop   string
		guardRuns bool
		asks      bool
		told      string
	}{
		"direct":                {&asked{answer: direct}, "", true, true, "libproxy1-plugin-webkit"},
		"direct, on GNOME":      {&asked{answer: direct}, "ubuntu:GNOME", true, true, "libproxy1-plugin-webkit"},
		"direct, on MATE":       {&asked{answer: direct}, "MATE", true, true, "libproxy1-plugin-webkit"},
		"direct, no guard":      {&asked{answer: direct}, "GNOME", false, false, ""},
		"the guard":             {&asked{answer: "(['http://127.0.0.1:8080'],)\n"}, "GNOME", true, true, ""},
		"the guard or direct":   {&asked{answer: "(['http://127.0.0.1:8080', 'direct://'],)\n"}, "GNOME", true, true, ""},
		"nobody to ask":         {&asked{answer: direct, err: errors.New("unknown service")}, "GNOME", true, true, ""},
		"another desktop":       {&asked{answer: direct}, "XFCE", true, false, "not read for them on XFCE"},
		"another one, no guard": {&asked{answer: direct}, "XFCE", false, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			on(t, w, Options{Only: []string{"gnome", "kde"}})
			c.a.fake = fake{w.path("dconf.json")}
			d := w.desktop()
			d.config.System.Run = c.a
			d.config.System.Getenv = func(key string) string {
				return map[string]string{"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x", "XDG_CURRENT_DESKTOP": c.desktop}[key]
			}
			results, err := d.Status(t.Context(), c.guardRuns)
			must(t, err)
			allGood(t, results)
			for _, r := range results {
				if r.Name == "gnome" && (!strings.Contains(r.Note, c.told) || c.told == "" && r.Note != "") || r.Name == "kde" && r.Note != "" {
					t.Errorf("%s: %s, %q; want %q", r.Name, r.State, r.Note, c.told)
				}
			}
			if want := []string{guard.PAC + " " + alwaysInPAC}; c.asks && !slices.Equal(c.a.lines, want) || !c.asks && len(c.a.lines) > 0 {
				t.Errorf("asked for %q", c.a.lines)
			}
		})
	}
}
