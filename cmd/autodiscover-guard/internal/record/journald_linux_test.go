package record_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

const inJournal = "AUTODISCOVER_GUARD_IN_JOURNAL"

const daemon = "/usr/lib/systemd/systemd-journald"

// TestJournald writes to a real journald and reads back with a real journalctl. Both run below a /run of their own, in a mount namespace, so that
// this machine's journal does not change.
func TestJournald(t *testing.T) {
	if os.Getenv(inJournal) != "" {
		toJournald(t)
		return
	}
	if _, err := os.Stat(daemon); err != nil || os.Geteuid() != 0 {
		t.Skip("needs root and systemd-journald: ", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "--propagation", "private", "sh", "-c", `
		mount -t tmpfs none /run && mkdir -p /run/systemd/journal /run/log/journal || exit 77
		[ ! -d /var/log/journal ] || mount -t tmpfs none /var/log/journal || exit 77
		`+daemon+` & journald=$!
		n=0; while [ ! -S /run/systemd/journal/socket ]; do n=$((n+1)); [ $n -lt 400 ] && kill -0 $journald || exit 77; sleep 0.05; done
		"$1" -test.run='^TestJournald$' -test.v; code=$?
		kill $journald; wait $journald; exit $code`, "sh", self)
	cmd.Env = append(os.Environ(), inJournal+"=1")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() == 77 {
		t.Skipf("journald does not run here:\n%s", out)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func toJournald(t *testing.T) {
	t.Helper()
	sink, err := record.OpenJournald()
	if err != nil {
		t.Fatal(err)
	}
	log := record.New(record.Config{Sink: sink, Encoder: encoder(), Queue: 1000, Repeat: record.Rate{Count: 1, Per: time.Hour}})
	decisions := zap.New(log.Core())
	long := "/" + strings.Repeat("x", 300_000) // more than a datagram holds
	decide(decisions, "192.0.2.1", "/", 1)
	decide(decisions, "192.0.2.1", "/\nb", 2)
	decide(decisions, "192.0.2.1", long, 3)
	for n := range 3 {
		decide(decisions, "192.0.2.1", "/", 10+n)
	}
	closeLog(t, log)
	all := journal(t, 4, "SYSLOG_IDENTIFIER="+record.Identifier)
	first := all[0]
	for field, want := range map[string]string{
		"PRIORITY": "4", "MESSAGE": "refuse autodetect of prod.autodetect.outlook.cloud.microsoft about example.com lab.test for 192.0.2.1: 1 of 1 suggestions name hosts outside the rule",
		"AUTODISCOVER_GUARD_ACTION": "refuse", "AUTODISCOVER_GUARD_SUBJECTS": "example.com lab.test", "AUTODISCOVER_GUARD_SCHEMA": "1",
		"AUTODISCOVER_GUARD_CREDENTIALS_PRESENT": "true", "AUTODISCOVER_GUARD_EXCHANGE": "run-1",
	} {
		if first[field] != want {
			t.Errorf("%s is %q, want %q", field, first[field], want)
		}
	}
	if got := all[1]["AUTODISCOVER_GUARD_PATH"]; got != "/\nb" {
		t.Errorf("a path with a newline became %q", got)
	}
	if got := all[2]["AUTODISCOVER_GUARD_PATH"]; got != long {
		t.Errorf("a long path became %d bytes", len(got))
	}
	if got := all[3]["AUTODISCOVER_GUARD_REPEAT"]; got != "3" {
		t.Errorf("repeat is %q", got)
	}
	for _, e := range all {
		if got, torn := read(t, []byte(e[record.RecordField])); len(got) != 1 || len(torn) != 0 || got[0].Client != "192.0.2.1" {
			t.Errorf("the record in the journal is %.200q", e[record.RecordField])
		}
	}
	if got := journal(t, 1, record.FieldPrefix+"EXCHANGE=run-2"); len(got) != 1 {
		t.Errorf("searching for a field finds %d", len(got))
	}
	out, err := exec.CommandContext(t.Context(), "journalctl", "-D", directory(t), "-t", record.Identifier, "-o", "cat", "--output-fields="+record.RecordField).Output()
	if entries, torn := read(t, out); err != nil || len(entries) != 4 || len(torn) != 0 {
		t.Errorf("as the README has it: %v, %d records, %d torn", err, len(entries), len(torn))
	}
}

// journal waits for entries that match; what is sent to journald is written a little later.
func journal(t *testing.T, n int, match string) []map[string]string {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		out, err := exec.CommandContext(t.Context(), "journalctl", "-D", directory(t), "--all", "-o", "json", match).Output()
		var all []map[string]string
		for line := range bytes.Lines(out) {
			e := map[string]string{}
			raw := map[string]any{}
			if json.Unmarshal(line, &raw) != nil {
				t.Fatalf("journalctl says %.200s", line)
			}
			for k, v := range raw {
				e[k], _ = v.(string)
			}
			all = append(all, e)
		}
		if err == nil && len(all) >= n {
			return all
		}
		select {
		case <-deadline:
			t.Fatalf("%d entries, want %d; %v", len(all), n, err)
		case <-tick.C:
		}
	}
}

// directory is where this journald keeps its files.
func directory(t *testing.T) string {
	t.Helper()
	for _, pattern := range []string{"/run/log/journal/*", "/var/log/journal/*"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	return "/run/log/journal"
}
