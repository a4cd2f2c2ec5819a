package record_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

// until asks again and again, for as long as the slowest machine may take.
func until(t *testing.T, complaint string, done func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatal(complaint)
		case <-tick.C:
		}
	}
}

// A real rsyslog, with a socket, a configuration and a work directory of its own.
func TestSyslog_rsyslog(t *testing.T) {
	if _, err := exec.LookPath("rsyslogd"); err != nil {
		t.Skip("rsyslogd is not installed")
	}
	dir := t.TempDir()
	socket, out := filepath.Join(dir, "log"), filepath.Join(dir, "out")
	conf := `global(workDirectory="` + dir + `")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="` + socket + `")
template(name="t" type="string" string="%syslogfacility-text%|%syslogseverity-text%|%programname%|%msg%\n")
action(type="omfile" file="` + out + `" template="t")
`
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	start := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "rsyslogd", "-n", "-f", filepath.Join(dir, "conf"), "-i", filepath.Join(dir, "pid"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, "rsyslogd does not listen", func() bool {
			c, err := net.Dial("unixgram", socket)
			if err == nil {
				c.Close()
			}
			return err == nil
		})
		return cmd
	}
	stop := func(cmd *exec.Cmd) {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	says := func(n int) []string {
		var lines []string
		until(t, "rsyslogd writes nothing", func() bool {
			text, _ := os.ReadFile(out)
			lines = strings.Split(strings.TrimSpace(string(text)), "\n")
			return len(text) > 0 && len(lines) >= n
		})
		return lines
	}
	daemon := start()
	sink, err := record.OpenSyslog(socket)
	if err != nil {
		t.Fatal(err)
	}
	log, decisions := newLog(sink, record.Rate{}, nil)
	decide(decisions, "192.0.2.1", "/a", 1)
	says(1)
	stop(daemon)
	decide(decisions, "192.0.2.1", "/lost", 2)
	daemon = start()
	decide(decisions, "192.0.2.1", "/b", 3)
	lines := says(3)
	closeLog(t, log)
	stop(daemon)
	for i, want := range []string{
		`^daemon\|warning\|autodiscover-guard\| \{"level":"warn",.*"exchange":"run-1".*\}$`, `"exchange":"run-3"`,
		`^daemon\|err\|autodiscover-guard\| \{"level":"error",.*"msg":"records dropped","schema":1,"dropped":1,.*\}$`,
	} {
		if !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Errorf("line %d is %s, want %s", i+1, lines[i], want)
		}
	}
}

// A daemon that takes nothing costs a second and then a record, and not an exchange.
func TestSyslog_that_hangs(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "log")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sink, err := record.OpenSyslog(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	r := record.Record{Line: []byte("{}\n"), Level: zap.InfoLevel}
	taken := 0
	for range 10_000 {
		if err = sink.Put(r); err != nil {
			break
		}
		taken++
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want that it takes too long", err)
	}
	for range taken {
		heard(t, l)
	}
	if err := l.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes more than the %d records that were taken, %v", n, taken, err)
	}
	if _, err := record.OpenSyslog(filepath.Join(dir, "nobody")); err == nil {
		t.Error("a daemon answers that is not there")
	}
}

// heard is what a daemon got.
func heard(t *testing.T, l *net.UnixConn) string {
	t.Helper()
	if err := l.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 1<<10)
	n, err := l.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(text[:n])
}

// A daemon that comes back, or another one in its place, is found, and what nobody took is an error.
func TestSyslog_comesAndGoes(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "log")
	listen := func() *net.UnixConn {
		l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	gone := func(l *net.UnixConn) {
		// A program that another test is about to start has the socket, too, until it begins: nobody listens there all the same.
		if err := errors.Join(l.CloseRead(), l.Close(), os.Remove(socket)); err != nil {
			t.Fatal(err)
		}
	}
	l := listen()
	sink, err := record.OpenSyslog(socket)
	if err != nil {
		t.Fatal(err)
	}
	r := record.Record{Line: []byte("{}\n"), Level: zap.WarnLevel}
	put := func() {
		t.Helper()
		if err := sink.Put(r); err != nil {
			t.Error(err)
		}
		form := fmt.Sprintf(`^<28>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d autodiscover-guard\[%d\]: \{\}$`, os.Getpid())
		if got := heard(t, l); !regexp.MustCompile(form).MatchString(got) {
			t.Errorf("got %q", got)
		}
	}
	put()
	gone(l)
	for range 2 {
		if err := sink.Put(r); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("nobody is there: %v", err)
		}
	}
	if err := sink.Reopen(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nobody is there to be taken up: %v", err)
	}
	l = listen()
	put()
	gone(l)
	l = listen()
	put()
	older := l
	if err := os.Remove(socket); err != nil {
		t.Fatal(err)
	}
	l = listen()
	if err := sink.Reopen(); err != nil {
		t.Error(err)
	}
	put()
	if err := errors.Join(older.Close(), sink.Close(), sink.Close()); err != nil {
		t.Error(err)
	}
	if put, reopened := sink.Put(r), sink.Reopen(); put == nil || reopened == nil {
		t.Errorf("after the end: %v, %v", put, reopened)
	}
	gone(l)
}
