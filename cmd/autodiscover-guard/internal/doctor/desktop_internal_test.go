package doctor

import (
	"context"
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
