package doctor

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/desktop"
)

// Settings that are in place, and that programs do not follow, are a warning: others may follow them.
func TestDesktop_notFollowed(t *testing.T) {
	e := &examination{Config: Config{Desktop: func(context.Context) ([]desktop.Result, error) {
		return []desktop.Result{{Name: "gnome", State: desktop.On, Note: "Geary goes direct"}, {Name: "kde", State: desktop.On}}, nil
	}}}
	got := e.desktop(t.Context())
	if len(got) != 2 || got[0].State != Warning || !strings.Contains(got[0].What, "Geary goes direct") || got[0].Do == "" || got[1].State != OK {
		t.Errorf("got %+v, want a warning with what to do, and nothing wrong with the other", got)
	}
}

// Who serves other computers need not send his own programs to the guard.
func TestDesktop_gateway(t *testing.T) {
	for proxy, want := range map[string]State{"http://127.0.0.1:8080": Warning, "http://192.0.2.1:8080": Skipped} {
		u, err := url.Parse(proxy)
		if err != nil {
			t.Fatal(err)
		}
		e := &examination{Config: Config{Proxy: u, Desktop: func(context.Context) ([]desktop.Result, error) { return nil, nil }}}
		if got := e.desktop(t.Context()); len(got) != 1 || got[0].State != want || (got[0].Do == "") != (want == Skipped) {
			t.Errorf("%s: %+v", proxy, got)
		}
	}
}
