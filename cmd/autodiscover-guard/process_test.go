package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// process is the program, running.
type process struct {
	cmd                 *exec.Cmd
	stderr              *bytes.Buffer
	dir, state, address string
	streams             *os.File // standard output and error in the place of stderr, where set
}

// startService starts what stands in the place of AutoDetect, until the test ends.
func startService(t *testing.T, answer http.Handler) *lab.Service {
	t.Helper()
	service, err := lab.Start([]string{lab.AutoDetectHost}, answer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closed := make(chan error, 1)
		go func() { closed <- service.Close() }()
		_ = await(t, closed)
	})
	return service
}

// newProcess makes a place for it, in which service stands in the place of AutoDetect; where says where further hosts are, as upstream.resolve does.
func newProcess(t *testing.T, service *lab.Service, where ...string) *process {
	t.Helper()
	dir := t.TempDir()
	p := &process{dir: dir, state: filepath.Join(dir, "state")}
	write(t, filepath.Join(dir, "root.pem"), string(service.RootPEM()))
	write(t, filepath.Join(dir, "guard.yaml"), "upstream:\n  roots: root.pem\n  resolve: {"+strings.Join(append(where, lab.AutoDetectHost+": \""+service.Addr()+"\""), ", ")+"}\n")
	return p
}

// start starts it and waits until it listens. The files that a killed one has left say nothing: the first thing that a guard writes is its pid,
// and the last its address.
func (p *process) start(t *testing.T) {
	t.Helper()
	p.launch(t)
	p.waits(t, "the guard does not start", func() bool { return p.saysPID() && p.said("address") != "" })
	p.address = p.said("address")
}

// launch starts it and waits for nothing.
func (p *process) launch(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(p.dir, program) // testscript.Main runs a command when the binary is called by its name
	if err := os.Symlink(self, program); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Skip("no symbolic links here: ", err)
	}
	p.stderr = new(bytes.Buffer)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // of which none needs more than some seconds
	t.Cleanup(cancel)
	p.cmd = exec.CommandContext(ctx, program, "run", "--config", filepath.Join(p.dir, "guard.yaml"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state", p.state)
	p.cmd.Stderr = p.stderr
	if p.streams != nil {
		p.cmd.Stdout, p.cmd.Stderr = p.streams, p.streams
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// waits asks again and again, for as long as the slowest machine may take.
func (p *process) waits(t *testing.T, complaint string, done func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait() // nothing writes into stderr any more
			t.Fatalf("%s:\n%s", complaint, p.stderr.String())
		case <-tick.C:
		}
	}
}

// terminate sends SIGTERM, behind which the process is to end with 0.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v:\n%s", err, p.stderr.String())
	}
}

// saysPID reports whether this very process has written its pid.
func (p *process) saysPID() bool { return p.said("pid") == strconv.Itoa(p.cmd.Process.Pid) }

// said is what a small file of the state directory says.
func (p *process) said(name string) string {
	text, _ := os.ReadFile(filepath.Join(p.state, name))
	return strings.TrimSpace(string(text))
}

// admin asks the admin listener: the status, a space, the body.
func (p *process) admin(t *testing.T, path string) string {
	t.Helper()
	response, err := http.Get("http://" + p.said("admin") + path)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return strconv.Itoa(response.StatusCode) + " " + string(body)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// roots is what a client of the guard trusts.
func (p *process) roots() (*x509.CertPool, error) {
	pem, err := os.ReadFile(filepath.Join(p.state, "authority", "root.pem"))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return roots, err
}

func (p *process) ask(ctx context.Context, address string) (string, error) {
	roots, err := p.roots()
	if err != nil {
		return "", err
	}
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
