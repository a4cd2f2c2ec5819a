//go:build unix

package main

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// TestRun_hangupBeforeItServes sends SIGHUP as soon as the pid is there, as a script does that waits for it, and before the guard serves. It must not
// be the guard's end, and the reload that was asked for comes when the guard serves.
func TestRun_hangupBeforeItServes(t *testing.T) {
	t.Parallel()
	service, err := lab.Start([]string{lab.AutoDetectHost}, http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	guard := newProcess(t, service)
	guard.launch(t)
	for deadline := time.Now().Add(20 * time.Second); !guard.saysPID(); { // without a pause: what is tested is the moment after
		if time.Now().After(deadline) {
			t.Fatal("the guard does not write its pid")
		}
	}
	if err := guard.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	guard.waits(t, "SIGHUP was the guard's end, or is forgotten", func() bool {
		return guard.said("address") != "" && strings.Contains(guard.admin(t, "/metrics"), `autodiscover_guard_reloads_total{result="ok"} 1`)
	})
	if err := guard.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := guard.cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v:\n%s", err, guard.stderr.String())
	}
}
