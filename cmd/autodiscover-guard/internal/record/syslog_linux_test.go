package record_test

import (
	"errors"
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
	for range 10_000 {
		if err = sink.Put(r); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want that it takes too long", err)
	}
	if _, err := record.OpenSyslog(filepath.Join(dir, "nobody")); err == nil {
		t.Error("a daemon answers that is not there")
	}
}
