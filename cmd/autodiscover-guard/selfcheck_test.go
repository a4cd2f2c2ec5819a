package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

// A guard whose authority has ended opens nothing any more and tunnels all the rest. The watchdog must not have it started again: that start would fail.
func TestSelfCheck_authorityHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := config.Default()
		c.Listen.Admin = ""
		state := &stateDir{path: t.TempDir()}
		g := guardInBubble(t, c, state)
		r := &reloader{guard: g}
		if err := r.selfCheck(t.Context(), adminServer{}); err != nil {
			t.Errorf("at the start: %v", err)
		}
		if err := os.Remove(filepath.Join(state.path, "authority", "root.key")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(91 * 24 * time.Hour)
		if _, over := errors.AsType[*certs.DamagedError](g.plugin.SelfCheck(t.Context())); !over {
			t.Error("the authority has not ended")
		}
		if err := r.selfCheck(t.Context(), adminServer{}); err != nil {
			t.Errorf("after the end: %v", err)
		}
		g.close()
		if err := r.selfCheck(t.Context(), adminServer{}); err == nil {
			t.Error("a hall that is closed is taken for one that answers")
		}
	})
}
