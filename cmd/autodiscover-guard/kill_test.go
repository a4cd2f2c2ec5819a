package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// TestRun_killAndRestartLosesNothing kills the real process between two exchanges, and once more in the middle of one. Each time it must start again
// in the same place, with the same authority, and the log must hold one whole record of each exchange that a client has seen the end of.
func TestRun_killAndRestartLosesNothing(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex // guards hold
	var hold chan struct{}
	held := make(chan struct{}, 1)
	answer := lab.AutoDetect()
	service := startService(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		wait := hold
		mu.Unlock()
		if wait != nil {
			held <- struct{}{}
			<-wait
		}
		answer.ServeHTTP(w, r)
	}))
	guard := newProcess(t, service)
	guard.start(t)
	ask := func() {
		t.Helper()
		if got, err := guard.ask(t.Context(), "jane@shop.com"); err != nil || !strings.Contains(got, "imap.shop.com") {
			t.Fatalf("answered %q, %v:\n%s", got, err, guard.stderr.String())
		}
	}
	ask()
	root := guard.authorityFiles(t)

	guard.kill(t) // between two
	guard.start(t)
	if got := guard.authorityFiles(t); got != root {
		t.Error("the authority is another one after a kill between exchanges")
	}
	ask()

	release := make(chan struct{})
	mu.Lock()
	hold = release
	mu.Unlock()
	asked := make(chan error, 1)
	go func() {
		_, err := guard.ask(t.Context(), "jane@shop.com")
		asked <- err
	}()
	await(t, held)
	guard.kill(t) // in one
	if err := await(t, asked); err == nil {
		t.Error("the exchange in flight came to a good end without the guard")
	}
	mu.Lock()
	hold = nil
	mu.Unlock()
	close(release)
	guard.start(t)
	if got := guard.authorityFiles(t); got != root {
		t.Error("the authority is another one after a kill in an exchange")
	}
	ask()
	if got := guard.admin(t, "/readyz"); !strings.HasPrefix(got, "200 ") {
		t.Errorf("/readyz after two kills: %s", got)
	}
	// Three clients saw an end. The fourth did not, and its record may not be there; half of it must not.
	if n := wholeRecords(t, filepath.Join(guard.state, "decisions.jsonl")); n != 3 {
		t.Errorf("got %d records, want 3", n)
	}
	if err := guard.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := guard.cmd.Wait(); err != nil {
		t.Errorf("the last one ended with %v:\n%s", err, guard.stderr.String())
	}
	for _, name := range []string{"pid", "address", "admin", "policy"} {
		if said := guard.said(name); said != "" {
			t.Errorf("%s still says %q after a good end", name, said)
		}
	}
}

// kill ends the process as kill -9 and a lack of memory do.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // says that it was killed
}

// authorityFiles is all that makes the authority what it is.
func (p *process) authorityFiles(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"root.pem", "root.key", "issuing.pem"} {
		text, err := os.ReadFile(filepath.Join(p.state, "authority", name))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// wholeRecords counts the records of a log in which every line is one, and none is there twice.
func wholeRecords(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(text, []byte("\n")) {
		t.Errorf("the last record is torn: %q", text)
	}
	seen := map[string]bool{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var record struct{ Msg, Exchange string }
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil || record.Msg != "decision" || seen[record.Exchange] {
			t.Errorf("not a record, or there twice: %q, %v", lines.Text(), err)
		}
		seen[record.Exchange] = true
	}
	return len(seen)
}
