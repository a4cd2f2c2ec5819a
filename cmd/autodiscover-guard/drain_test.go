package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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
	guard := startProcess(t, service)

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
	close(release)
	if got := <-body; !strings.Contains(got, "imap.shop.com") {
		t.Errorf("the exchange in flight ended with %q", got)
	}
	if err := guard.cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v:\n%s", err, guard.stderr.String())
	}
	if record, err := os.ReadFile(filepath.Join(guard.state, "decisions.jsonl")); err != nil || bytes.Count(record, []byte("\n")) != 1 {
		t.Errorf("records: %q, %v", record, err)
	}
}

// process is the program, running.
type process struct {
	cmd            *exec.Cmd
	stderr         *bytes.Buffer
	state, address string
}

// startProcess starts the program; where says where further hosts are, as upstream.resolve does.
func startProcess(t *testing.T, service *lab.Service, where ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, program) // testscript.Main runs a command when the binary is called by its name
	if err := os.Symlink(self, program); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	p := &process{state: filepath.Join(dir, "state"), stderr: new(bytes.Buffer)}
	write(t, filepath.Join(dir, "root.pem"), string(service.RootPEM()))
	write(t, filepath.Join(dir, "guard.yaml"), "upstream:\n  roots: root.pem\n  resolve: {"+strings.Join(append(where, lab.AutoDetectHost+": \""+service.Addr()+"\""), ", ")+"}\n")
	p.cmd = exec.CommandContext(t.Context(), program, "run", "--config", filepath.Join(dir, "guard.yaml"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state", p.state)
	p.cmd.Stderr = p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if address, err := os.ReadFile(filepath.Join(p.state, "address")); err == nil {
			p.address = strings.TrimSpace(string(address))
			return p
		}
		select {
		case <-deadline:
			t.Fatalf("the guard does not start:\n%s", p.stderr.String())
		case <-tick.C:
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *process) ask(ctx context.Context, address string) (string, error) {
	pem, err := os.ReadFile(filepath.Join(p.state, "authority", "root.pem"))
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{
		Proxy:             http.ProxyURL(&url.URL{Scheme: "http", Host: p.address}),
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	request, err := lab.AskAutoDetect(ctx, address, "geheim")
	if err != nil {
		return "", err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// refusesNewConnections waits until the listener is closed: the process has understood that it is to stop.
func (p *process) refusesNewConnections(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 4000 {
		response, err := http.Get("http://" + p.address + "/")
		if err != nil {
			return
		}
		response.Body.Close()
		<-tick.C
	}
	t.Error("the listener stays open")
}
