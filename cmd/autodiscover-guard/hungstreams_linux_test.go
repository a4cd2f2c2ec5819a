package main

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// TestRun_nobodyReadsItsStreams has the real process write records and all that it says into a pipe that nobody reads, as a container's log may be, and a
// terminal that was stopped. Everybody is answered, and it ends when it is told to.
func TestRun_nobodyReadsItsStreams(t *testing.T) {
	t.Parallel()
	unread, streams, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer unread.Close()
	defer streams.Close()
	service := startService(t, lab.AutoDetect())
	guard := newProcess(t, service)
	guard.streams = streams
	guard.addSettings(t, "log: {decisions: \"-\", repeat: off}\n")
	guard.start(t)
	keep := guard.client(t)
	for n := range 300 { // the pipe is full after a hundred
		if status, body := question(t, keep, "email@example.com"); status != http.StatusOK || strings.Contains(body, "sei.co.jp") {
			t.Fatalf("question %d: got %d %q", n, status, body)
		}
	}
	stranger := &http.Transport{ // whose handshake fails, which is said
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: guard.address}), TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	defer stranger.CloseIdleConnections()
	request, err := lab.AskAutoDetect(t.Context(), "jane@shop.com", "geheim")
	if err != nil {
		t.Fatal(err)
	}
	if response, err := stranger.RoundTrip(request); err == nil {
		response.Body.Close()
		t.Error("a client that does not trust the authority was answered")
	}
	if status, body := question(t, keep, "jane@shop.com"); status != http.StatusOK || !strings.Contains(body, "imap.shop.com") {
		t.Errorf("afterwards: got %d %q", status, body)
	}
	guard.terminate(t)
}
