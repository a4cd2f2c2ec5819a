package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// TestRun_sigtermLetsExchangesFinish starts the real process, holds an answer back at the service, sends SIGTERM, and only then lets the
// service answer: the client must get the whole answer and the process must end with 0.
func TestRun_sigtermLetsExchangesFinish(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	answer := lab.AutoDetect()
	service, err := lab.Start([]string{lab.AutoDetectHost}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-release
		answer.ServeHTTP(w, r)
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	guard := newProcess(t, service)
	guard.start(t)

	body := make(chan string, 1)
	go func() {
		got, err := guard.ask(t.Context(), "jane@shop.com")
		if err != nil {
			got = err.Error()
		}
		body <- got
	}()
	<-asked
	if err := guard.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	guard.refusesNewConnections(t)
	// A load balancer hears that nobody should be sent here, and the figures go on to the last.
	for path, want := range map[string]string{"/livez": "200 ok", "/readyz": "503 {", "/metrics": "200 "} {
		if got := guard.admin(t, path); !strings.HasPrefix(got, want) {
			t.Errorf("%s while draining: %q, want %q …", path, got, want)
		}
	}
	if got := guard.admin(t, "/readyz"); !strings.Contains(got, `"reason": "draining"`) {
		t.Errorf("/readyz gives no reason: %s", got)
	}
	close(release)
	if got := <-body; !strings.Contains(got, "imap.shop.com") {
		t.Errorf("the exchange in flight ended with %q", got)
	}
	if err := guard.cmd.Wait(); err != nil { // the admin listener holds nobody up
		t.Errorf("the process ended with %v:\n%s", err, guard.stderr.String())
	}
	if record, err := os.ReadFile(filepath.Join(guard.state, "decisions.jsonl")); err != nil || bytes.Count(record, []byte("\n")) != 1 {
		t.Errorf("records: %q, %v", record, err)
	}
}

// TestRun_secondSignalEndsAtOnce holds an answer back for good: the first SIGTERM waits for it, and the second does not.
func TestRun_secondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	service, err := lab.Start([]string{lab.AutoDetectHost}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	defer close(release)
	guard := newProcess(t, service)
	guard.start(t)
	cut := make(chan error, 1)
	go func() {
		_, err := guard.ask(t.Context(), "jane@shop.com")
		cut <- err
	}()
	<-asked
	if err := guard.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	guard.refusesNewConnections(t)
	if err := guard.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = guard.cmd.Wait() // its state says how it ended
	if status, ok := guard.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("the process ended with %v, and not by the second signal:\n%s", guard.cmd.ProcessState, guard.stderr.String())
	}
	if err := <-cut; err == nil {
		t.Error("the exchange in flight came to a good end without the guard")
	}
}
