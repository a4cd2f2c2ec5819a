package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// guard is the program, running.
type guard struct {
	cmd            *exec.Cmd
	state          string
	address, admin string
	root           *x509.CertPool
	log            tail
	ended          chan struct{}
	result         error
}

func startGuard(ctx context.Context, o options, dir string, up *upstream) (*guard, error) {
	g := &guard{state: filepath.Join(dir, "state"), ended: make(chan struct{})}
	if err := os.WriteFile(filepath.Join(dir, "root.pem"), up.rootPEM, 0o600); err != nil {
		return nil, err
	}
	config := "state: state\nlisten:\n  proxy: \"127.0.0.1:0\"\n  admin: \"127.0.0.1:0\"\n"
	reached := hosts
	if o.transparent {
		config += fmt.Sprintf("  transparent: %q\n", door)
		reached = append(slices.Clone(hosts), elsewhere) // where what is not opened was meant to go
	}
	config += "upstream:\n  roots: root.pem\n  resolve:\n"
	for _, host := range reached {
		config += fmt.Sprintf("    %q: %q\n    %q: %q\n", host+":443", up.secure, host+":80", up.plain)
	}
	file := filepath.Join(dir, "guard.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	g.cmd = exec.Command(o.guard, "run", "--config", file)
	g.cmd.Stderr = &g.log
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(g.ended)
		g.result = g.cmd.Wait()
	}()
	for _, note := range []struct {
		name string
		to   *string
	}{{"admin", &g.admin}, {"address", &g.address}} {
		text, err := g.await(ctx, filepath.Join(g.state, note.name))
		if err != nil {
			return nil, err
		}
		*note.to = strings.TrimSpace(text)
	}
	pem, err := g.await(ctx, filepath.Join(g.state, "authority", "root.pem"))
	if err != nil {
		return nil, err
	}
	g.root = x509.NewCertPool()
	g.root.AppendCertsFromPEM([]byte(pem))
	g.root.AppendCertsFromPEM(up.rootPEM) // of what is tunnelled
	return g, nil
}

// await waits for a file that the program writes.
func (g *guard) await(ctx context.Context, name string) (string, error) {
	for {
		if text, err := os.ReadFile(name); err == nil {
			return string(text), nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-g.ended:
			return "", fmt.Errorf("the guard does not start: %w: %s", g.result, g.lastWords())
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// measure looks at the process and asks it for its goroutines.
func (g *guard) measure(ctx context.Context) (s sample, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.admin+"/metrics", http.NoBody)
	if err != nil {
		return s, err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return s, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return s, err
	}
	if s.goroutines, err = figure(string(text), "go_goroutines "); err != nil {
		return s, err
	}
	proc := filepath.Join("/proc", strconv.Itoa(g.cmd.Process.Pid))
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return s, err
	}
	if s.rss, err = figure(string(status), "VmRSS:"); err != nil {
		return s, err
	}
	open, err := os.ReadDir(filepath.Join(proc, "fd"))
	s.descriptors = int64(len(open))
	return s, err
}

// figure finds the number behind a name at the beginning of a line.
func figure(text, name string) (int64, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("no figure %q", name)
}

// stop asks the guard to end, and waits until it has.
func (g *guard) stop() error {
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-g.ended:
		return g.result
	case <-time.After(time.Minute):
		return errors.New("it does not end within a minute")
	}
}

func (g *guard) kill() {
	_ = g.cmd.Process.Kill()
	<-g.ended
}

func (g *guard) lastWords() string { return g.log.String() }

// tail keeps the last of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - 4<<10; over > 0 {
		t.text = bytes.Clone(t.text[over:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
