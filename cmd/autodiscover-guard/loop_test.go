package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// TestRun_clientInALoop lets clients ask the same for as fast as they can, as one was seen to, with SIGHUP in between: the log must stay small, and
// its totals true.
func TestRun_clientInALoop(t *testing.T) {
	t.Parallel()
	service := startService(t, lab.AutoDetect())
	guard := newProcess(t, service)
	guard.start(t)
	const clients, each = 4, 500
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			transport := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: guard.address})}
			defer transport.CloseIdleConnections()
			for n := range each {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://autoconfig.example.com/mail/config-v1.1.xml?emailaddress=a@example.com", nil)
				response, err := transport.RoundTrip(r)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				if n%200 == 100 {
					if err := guard.cmd.Process.Signal(syscall.SIGHUP); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	guard.terminate(t)
	f, err := os.Open(filepath.Join(guard.state, "decisions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, decisions := 0, 0
	for lines := bufio.NewScanner(f); lines.Scan(); records++ {
		r := struct{ Repeat int }{1}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%v in %s", err, lines.Bytes())
		}
		decisions += r.Repeat
	}
	if decisions != clients*each || records > decisions/4 {
		t.Errorf("%d records stand for %d decisions, want far fewer, and %d", records, decisions, clients*each)
	}
	t.Logf("%d records for %d decisions", records, decisions)
}
