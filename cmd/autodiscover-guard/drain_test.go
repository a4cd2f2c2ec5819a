package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// TestRun_drainsForNoTime: with limits.drain_timeout: 0s an end waits for nobody. (And listen.pprof is what puts profiles on the admin listener.)
func TestRun_drainsForNoTime(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	guard := newProcess(t, startService(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	})))
	defer close(release)
	guard.addSettings(t, "limits: {drain_timeout: 0s}\nlisten: {pprof: on}\n")
	guard.start(t)
	if got := guard.admin(t, "/debug/pprof/"); !strings.HasPrefix(got, "200 ") {
		t.Errorf("listen.pprof: on, and /debug/pprof/ answers %s", got)
	}
	cut := make(chan error, 1)
	go func() {
		_, err := guard.ask(t.Context(), "jane@shop.com")
		cut <- err
	}()
	await(t, asked)
	if err := guard.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := guard.cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v:\n%s", err, guard.stderr.String())
	}
	if err := await(t, cut); err == nil {
		t.Error("the exchange in flight came to a good end without the guard")
	}
}

// exchangeInFlight starts a guard in which an exchange waits for its service's answer; finish lets that come, and looks at what the client gets.
func exchangeInFlight(t *testing.T) (guard *process, finish func()) {
	t.Helper()
	asked, release := make(chan struct{}), make(chan struct{})
	answer := lab.AutoDetect()
	guard = newProcess(t, startService(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-release
		answer.ServeHTTP(w, r)
	})))
	guard.start(t)
	body := make(chan string, 1)
	go func() {
		got, err := guard.ask(t.Context(), "jane@shop.com")
		if err != nil {
			got = err.Error()
		}
		body <- got
	}()
	await(t, asked)
	return guard, func() {
		t.Helper()
		close(release)
		if got := await(t, body); !strings.Contains(got, "imap.shop.com") {
			t.Errorf("the exchange in flight ended with %q", got)
		}
	}
}

// TestRun_sigtermLetsExchangesFinish starts the real process, holds an answer back at the service, sends SIGTERM, and only then lets the
// service answer: the client must get the whole answer and the process must end with 0.
func TestRun_sigtermLetsExchangesFinish(t *testing.T) {
	t.Parallel()
	guard, finish := exchangeInFlight(t)
	if err := guard.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	guard.refusesNewConnections(t)
	// A load balancer hears that nobody should be sent here, and the figures go on to the last.
	for path, want := range map[string]string{"/livez": "200 ok", "/readyz": "503 {", "/metrics": "200 ", "/debug/pprof/": "404 "} {
		if got := guard.admin(t, path); !strings.HasPrefix(got, want) {
			t.Errorf("%s while draining: %q, want %q …", path, got, want)
		}
	}
	if got := guard.admin(t, "/readyz"); !strings.Contains(got, `"reason": "draining"`) {
		t.Errorf("/readyz gives no reason: %s", got)
	}
	finish()
	if err := guard.cmd.Wait(); err != nil { // the admin listener holds nobody up
		t.Errorf("the process ended with %v:\n%s", err, guard.stderr.String())
	}
	if record, err := os.ReadFile(filepath.Join(guard.state, "decisions.jsonl")); err != nil || bytes.Count(record, []byte("\n")) != 1 {
		t.Errorf("records: %q, %v", record, err)
	}
}

// TestRun_sigtermAnswersWhoHasConnected: a client that is in the middle of its question at SIGTERM gets an answer, and hears that it was the last. One that is idle is
// told to go meanwhile.
func TestRun_sigtermAnswersWhoHasConnected(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	service := startService(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	}))
	guard := newProcess(t, service)
	guard.start(t)

	client, err := net.Dial("tcp", guard.address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: ")
	idle, err := net.Dial("tcp", guard.address)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	_, _ = io.WriteString(idle, "GET / HTTP/1.1\r\nHost: guard\r\n\r\n")
	answers := bufio.NewReader(idle)
	if got, err := http.ReadResponse(answers, nil); err != nil || got.Close {
		t.Fatalf("got %v, %v", got, err)
	} else if _, err := io.Copy(io.Discard, got.Body); err != nil {
		t.Fatal(err)
	}
	running := make(chan struct{})
	go func() {
		defer close(running)
		_, _ = guard.ask(t.Context(), "jane@shop.com") // came later: the other was accepted by then
	}()
	await(t, asked)
	if err := guard.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	guard.refusesNewConnections(t)
	_ = idle.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := answers.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("who is idle: got %v, want the end", err)
	}
	_, _ = io.WriteString(client, "guard\r\n\r\n")
	got, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Errorf("no answer: %v", err)
	} else if got.Body.Close(); got.StatusCode != http.StatusBadRequest || !got.Close {
		t.Errorf("got %s, close: %v", got.Status, got.Close)
	}
	close(release)
	await(t, running)
	if err := guard.cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v:\n%s", err, guard.stderr.String())
	}
}

// TestRun_sigtermDrainsDoorAndHallAtOnce holds one exchange at the explicit door and one in the hall, beside an opened connection that nobody uses.
// At SIGTERM that one must be closed although the door is still busy: otherwise it goes on taking new work, and is cut in the middle of it in
// the end. Both exchanges must come to their end.
func TestRun_sigtermDrainsDoorAndHallAtOnce(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}, 2), make(chan struct{})
	answer := lab.AutoDetect()
	service := startService(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/idle" {
			asked <- struct{}{}
			<-release
		}
		answer.ServeHTTP(w, r)
	}))
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		_, _ = io.WriteString(w, "all of it")
	}))
	defer plain.Close()
	guard := newProcess(t, service, "plain.net: \""+plain.Listener.Addr().String()+"\"")
	guard.start(t)

	unused := guard.opened(t)
	ended := make(chan string, 2)
	go func() {
		got, err := guard.ask(t.Context(), "jane@shop.com")
		if err != nil {
			got = err.Error()
		}
		ended <- got
	}()
	go func() {
		through := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: guard.address})}
		defer through.CloseIdleConnections()
		got := new(bytes.Buffer)
		response, err := (&http.Client{Transport: through}).Get("http://plain.net/")
		if err == nil {
			_, err = got.ReadFrom(response.Body)
			response.Body.Close()
		}
		if err != nil {
			got.WriteString(err.Error())
		}
		ended <- got.String()
	}()
	await(t, asked)
	await(t, asked)
	if err := guard.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := unused.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := unused.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("the opened connection that nobody used: read %d bytes, %v; want its end while the door is busy", n, err)
	}
	close(release)
	for range 2 {
		if got := await(t, ended); got != "all of it" && !strings.Contains(got, "imap.shop.com") {
			t.Errorf("an exchange in flight ended with %q", got)
		}
	}
	if err := guard.cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v:\n%s", err, guard.stderr.String())
	}
	if said := guard.stderr.String(); strings.Contains(said, "has been cut off") {
		t.Errorf("something was cut off:\n%s", said)
	}
}

// opened is a connection that the guard has opened, and that has had one answer.
func (p *process) opened(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, err = io.WriteString(c, "CONNECT "+lab.AutoDetectHost+":443 HTTP/1.1\r\nHost: "+lab.AutoDetectHost+":443\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	read := make([]byte, 4096)
	if n, err := c.Read(read); err != nil || !bytes.HasPrefix(read[:n], []byte("HTTP/1.1 200 ")) || !bytes.HasSuffix(read[:n], []byte("\r\n\r\n")) {
		t.Fatalf("CONNECT: %q, %v", read[:n], err)
	}
	roots, err := p.roots()
	if err != nil {
		t.Fatal(err)
	}
	client := tls.Client(c, &tls.Config{RootCAs: roots, ServerName: lab.AutoDetectHost})
	request, err := http.NewRequest(http.MethodGet, "https://"+lab.AutoDetectHost+"/idle", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := request.Write(client); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(client), request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return client
}

// TestRun_secondSignalEndsAtOnce holds an answer back for good: the first SIGTERM waits for it, and the second does not.
func TestRun_secondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	service := startService(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	}))
	defer close(release)
	guard := newProcess(t, service)
	guard.start(t)
	cut := make(chan error, 1)
	go func() {
		_, err := guard.ask(t.Context(), "jane@shop.com")
		cut <- err
	}()
	await(t, asked)
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
	if err := await(t, cut); err == nil {
		t.Error("the exchange in flight came to a good end without the guard")
	}
}

// deafListener notices that it was closed when it is closed once more, as one does whose goroutine has not had its turn.
type deafListener struct {
	net.Listener
	accepting, wake chan struct{}
}

func (l deafListener) Accept() (net.Conn, error) {
	close(l.accepting)
	<-l.wake
	return nil, net.ErrClosed
}

func (l deafListener) Close() error {
	err := l.Listener.Close()
	if err != nil {
		close(l.wake)
	}
	return err
}

// TestShutDown_listenerIsClosed: what was closed before the server is shut down has cut nothing off.
func TestShutDown_listenerIsClosed(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := deafListener{inner, make(chan struct{}), make(chan struct{})}
	server := &http.Server{ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	await(t, l.accepting)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := shutDown(t.Context(), server); err != nil {
		t.Error(err)
	}
	if err := await(t, served); !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}
