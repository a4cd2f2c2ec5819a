package main

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// TestRun_readerOfItsStreamsGoes has whoever reads records and all else of the real process go, as journald does that is started again, and come back. It goes
// on, and says what has no record.
func TestRun_readerOfItsStreamsGoes(t *testing.T) {
	t.Parallel()
	guard := newProcess(t, startService(t, lab.AutoDetect()))
	fifo := filepath.Join(guard.dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() *os.File {
		t.Helper()
		f, err := os.OpenFile(fifo, os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	reader := read()
	streams, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer streams.Close()
	guard.streams = streams
	guard.addSettings(t, "log: {decisions: \"-\", repeat: off}\n")
	guard.start(t)
	keep := guard.client(t)
	refused := func(when string) {
		t.Helper()
		if status, body := question(t, keep, "email@example.com"); status != http.StatusOK || strings.Contains(body, "sei.co.jp") {
			t.Fatalf("%s: got %d %q", when, status, body)
		}
	}
	_ = reader.Close()
	refused("when the reader has gone")
	dropped := `autodiscover_guard_log_dropped_total 1`
	guard.waits(t, "what has no record is not counted", func() bool { return strings.Contains(guard.admin(t, "/metrics"), dropped) })

	reader = read()
	defer reader.Close()
	if err := reader.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	refused("when it is back")
	var said strings.Builder
	buffer := make([]byte, 4<<10)
	guard.waits(t, "what was dropped is not told", func() bool {
		n, _ := reader.Read(buffer)
		said.Write(buffer[:max(n, 0)])
		return strings.Contains(said.String(), `"msg":"records dropped","schema":1,"dropped":1,`)
	})
	guard.terminate(t)
}
