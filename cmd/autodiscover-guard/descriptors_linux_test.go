package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
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

// TestRun_outOfDescriptors is the row of that name: the real process has a low limit and hundreds of connections. What runs goes on, a guarded question
// still gets its quiet answer where no upstream can be dialled, new connections wait, each exchange has its record, and when the connections go,
// all is as before.
func TestRun_outOfDescriptors(t *testing.T) {
	t.Parallel()
	answer := lab.AutoDetect()
	service := startService(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // so that each question needs a new connection upstream
		answer.ServeHTTP(w, r)
	}))
	guard := newProcess(t, service, "echo.net: \""+echoServer(t)+"\"")
	guard.start(t)
	runs := guard.tunnel(t)
	keep := guard.client(t)
	if status, body := question(t, keep, "jane@shop.com"); status != http.StatusOK || !strings.Contains(body, "imap.shop.com") {
		t.Fatalf("before: got %d %q", status, body)
	}

	const limit = 64
	if err := unix.Prlimit(guard.cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: limit}, nil); err != nil {
		t.Skipf("skipped: the limit cannot be set: %v", err)
	}
	var crowd []net.Conn
	for range 400 {
		c, err := net.DialTimeout("tcp", guard.address, 10*time.Second)
		if err != nil {
			break // the system's queue is full as well
		}
		defer c.Close()
		crowd = append(crowd, c)
	}
	guard.holds(t, limit)

	for range 3 {
		if status, body := question(t, keep, "email@example.com"); status != http.StatusOK || body != `{"email":"email@example.com","services":[],"protocols":[]}` {
			t.Errorf("guarded, without descriptors: got %d %q, want the quiet answer", status, body)
		}
	}
	// The connection upstream of the question before may have been among those that were counted, and left a descriptor behind, which the door takes sooner or later.
	asked := 1
	status, body := question(t, keep, "jane@shop.com")
	for ; status == http.StatusOK && asked < 100; asked++ {
		guard.holds(t, limit)
		status, body = question(t, keep, "jane@shop.com")
	}
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "out of descriptors") {
		t.Errorf("not guarded, without descriptors: got %d %q, want 503", status, body)
	}
	runs.echo(t, "still here")

	for _, c := range crowd {
		_ = c.Close()
	}
	fresh := guard.client(t)
	if status, body := question(t, fresh, "jane@shop.com"); status != http.StatusOK || !strings.Contains(body, "imap.shop.com") {
		t.Errorf("afterwards: got %d %q", status, body)
	}
	runs.echo(t, "and still")
	if err := guard.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = runs.Close()
	if err := guard.cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	if said := guard.stderr.String(); strings.Count(said, "accepting failed") == 0 {
		t.Errorf("nobody was told:\n%s", said)
	}
	if records, err := os.ReadFile(filepath.Join(guard.state, "decisions.jsonl")); err != nil || bytes.Count(records, []byte("\n")) != 5+asked {
		t.Errorf("want %d records, got %v:\n%s", 5+asked, err, records)
	}
}

// TestRun_reloadsWhenDescriptorsAreBack sends SIGHUP while no file can be opened. The reload fails, and is tried again until it does not.
func TestRun_reloadsWhenDescriptorsAreBack(t *testing.T) {
	t.Parallel()
	service := startService(t, http.NotFoundHandler())
	guard := newProcess(t, service)
	guard.start(t)
	if got := guard.admin(t, "/readyz"); !strings.Contains(got, `"stale": false`) { // and a connection that stays
		t.Fatalf("before: %s", got)
	}
	if err := unix.Prlimit(guard.cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: 1024}, nil); err != nil {
		t.Skipf("skipped: the limit cannot be set: %v", err)
	}
	if err := guard.cmd.Process.Signal(unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
	guard.waits(t, "nobody is told that the reload failed", func() bool {
		return strings.Contains(guard.admin(t, "/readyz"), "too many open files")
	})
	if err := unix.Prlimit(guard.cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1024, Max: 1024}, nil); err != nil {
		t.Fatal(err)
	}
	guard.waits(t, "the reload is not tried again", func() bool {
		return strings.Contains(guard.admin(t, "/readyz"), `"stale": false`)
	})
	if err := guard.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := guard.cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
}

// holds waits until the process has so many descriptors.
func (p *process) holds(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
		if err != nil {
			t.Skipf("skipped: %v", err)
		}
		if len(open) >= n {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("the process holds %d descriptors, want %d", len(open), n)
		case <-tick.C:
		}
	}
}

// echoServer echoes whatever comes.
func echoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

// client keeps its connections.
func (p *process) client(t *testing.T) *http.Transport {
	t.Helper()
	roots, err := p.roots()
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		Proxy:             http.ProxyURL(&url.URL{Scheme: "http", Host: p.address}),
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func question(t *testing.T, client *http.Transport, account string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request, err := lab.AskAutoDetect(ctx, account, "geheim")
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.RoundTrip(request)
	if err != nil {
		t.Fatalf("%s: %v", account, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", account, err)
	}
	return response.StatusCode, string(text)
}

// line is a tunnel to something that echoes lines.
type line struct {
	net.Conn
	r *bufio.Reader
}

func (l line) echo(t *testing.T, text string) {
	t.Helper()
	_ = l.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(l, text+"\n")
	if got, err := l.r.ReadString('\n'); got != text+"\n" {
		t.Errorf("the tunnel that runs: got %q, %v", got, err)
	}
}

// tunnel opens one to a server of the test.
func (p *process) tunnel(t *testing.T) line {
	t.Helper()
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, _ = fmt.Fprintf(c, "CONNECT echo.net:7 HTTP/1.1\r\nHost: echo.net:7\r\n\r\n")
	l := line{c, bufio.NewReader(c)}
	if resp, err := http.ReadResponse(l.r, &http.Request{Method: http.MethodConnect}); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v", resp, err)
	}
	l.echo(t, "hello")
	return l
}
