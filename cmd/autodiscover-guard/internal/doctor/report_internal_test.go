package doctor

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/rules"
)

const written = `guard
  ok    reachable 127.0.0.1:8080  answers
  fail  policy                    is stale
clients
  warning  client Geary, example.com   is slow
  warning  client KMail, example.com   is slow
  skipped  client Horde, example.com   is not opened

what to do
  1. policy: mend the file
  2. client Geary, example.com: look at the log

5 checks: 1 ok, 2 warnings, 1 wrong, 1 skipped. They caused 7 decision records, as doctor-0.
`

func TestReport(t *testing.T) {
	r := &Report{Schema: 1, Account: "doctor-0", Records: Records{Count: 7, Known: true, Exchanges: []string{}}}
	r.add(check{id: "reachable", group: "guard"}, []Finding{ok("127.0.0.1:8080", "answers")})
	if !r.Fine {
		t.Error("not fine")
	}
	r.add(check{id: "version", group: "guard"}, []Finding{{Check: "policy", State: Fail, What: "is stale", Do: "mend the file"}})
	r.add(check{id: "client", group: "clients"}, []Finding{
		warning("Geary, example.com", "is slow", "look at the log"), warning("KMail, example.com", "is slow", "look at the log"), skipped("Horde, example.com", "is not opened"),
	})
	var text strings.Builder
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(written, ".com   is", ".com  is"), text.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	text.Reset()
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal([]byte(text.String()), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*r, back, cmp.AllowUnexported(Finding{})); diff != "" || back.Fine || strings.Count(text.String(), "\n") != 1 {
		t.Errorf("%s\n(-want +got)\n%s", text.String(), diff)
	}
}

func TestMissing(t *testing.T) {
	p, err := rules.New(rules.Config{Open: []string{"autodiscover.hoster.net"}})
	if err != nil {
		t.Fatal(err)
	}
	pac := string(companion.PAC(p, companion.Proxy{Host: "127.0.0.1", Port: "8080"}))
	if got := missing(pac, p.Hosts().Below); len(got) > 0 {
		t.Errorf("missing %q", got)
	}
	got := missing(strings.Replace(pac, "autodiscover.hoster.net", "autodiscover.hosters.net", 1), p.Hosts().Below)
	if diff := cmp.Diff([]string{"autodiscover.hoster.net"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := missing("", []string{"test"}); len(got) != 1 {
		t.Errorf("nothing has %q", got)
	}
}

func TestRoom(t *testing.T) {
	for free, want := range map[uint64]State{0: Fail, diskLeast - 1: Fail, diskLeast: Warning, diskEnough: OK} {
		if got := diskSpace("/state", free).State; got != want {
			t.Errorf("%d bytes: %s, want %s", free, got, want)
		}
	}
	if free, err := freeBytes(t.TempDir()); err != nil || free == 0 {
		t.Errorf("%d, %v", free, err)
	}
	if _, err := freeBytes(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("free space where nothing is")
	}
}

// Only our own records are counted, and those that stand for several.
func TestRecords(t *testing.T) {
	e := examined(t, always(502), nil)
	at := e.begun.Add(time.Second).Format(time.RFC3339Nano)
	old := e.begun.Add(-time.Hour).Format(time.RFC3339Nano)
	record := func(at, message, client, subject, more string) string {
		return `{"time":"` + at + `","msg":"` + message + `","exchange":"1","client":"` + client + `","subjects":["` + subject + `"]` + more + "}\n"
	}
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	before := "not ours\n"
	text := before + record(at, "decision", "127.0.0.1", "example.com", "") + record(at, "decision", "127.0.0.1", "exchange.example.com", `,"repeat":3`) +
		record(at, "decision", "192.0.2.1", "example.com", "") + record(at, "decision", "127.0.0.1", "shop.net", "") +
		record(at, "other", "127.0.0.1", "example.com", "") + record(old, "decision", "127.0.0.1", "example.com", "") + `{"half`
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &records{path: name, offset: int64(len(before))}
	r.read()
	if all, count := r.ours(e); len(all) != 2 || count != 4 || r.err != nil {
		t.Errorf("%d records for %d exchanges: %v, %v", len(all), count, all, r.err)
	}
	r.offset = 1 << 20 // cut off: it begins anew
	if r.read(); !strings.HasPrefix(r.text, before) || !r.rotated {
		t.Errorf("%q, rotated %v", r.text, r.rotated)
	}
}

// What a log was given before it was rotated is read as well, wherever that is now; where it is not to be seen, nothing is said of it.
func TestRecorded_rotated(t *testing.T) {
	for _, c := range []struct {
		name         string
		rotate       func(name string) error
		next         bool // there is another file
		log, secrets State
	}{
		{"not at all", func(string) error { return nil }, true, OK, Fail},
		{"moved", func(name string) error { return os.Rename(name, name+".1") }, true, OK, Fail},
		{"moved, compressed and removed", os.Remove, true, OK, Fail},
		{"moved, and none is there yet", os.Remove, false, OK, Fail},
		{"copied and cut off", func(name string) error { return os.Truncate(name, 0) }, true, Skipped, Skipped},
	} {
		e := examined(t, always(502), nil)
		e.Local, e.State = true, t.TempDir()
		e.exchanges = []*exchange{{}}
		name := filepath.Join(e.State, "decisions.jsonl")
		put := func(text string) {
			f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
			if err == nil {
				_, err = f.WriteString(text)
				_ = f.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		put(strings.Repeat("{}\n", 300))
		if err := e.Settings.Set("state", e.State); err != nil {
			t.Fatal(err)
		}
		e.log = e.openRecords()
		put(`{"time":"` + e.begun.Format(time.RFC3339Nano) + `","msg":"decision","client":"127.0.0.1","subjects":["example.com"],"password":"` + e.password + "\"}\n")
		if runtime.GOOS == "windows" && c.log == OK && c.name != "not at all" {
			c.log, c.secrets = Skipped, Skipped
		}
		if err := c.rotate(name); err != nil {
			t.Fatal(err)
		}
		if c.next {
			put("{}\n")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if f := e.recorded(ctx)[0]; f.State != c.log {
			t.Errorf("%s: %+v", c.name, f)
		}
		if f := e.secrets(ctx)[1]; f.State != c.secrets {
			t.Errorf("%s: %+v", c.name, f)
		}
		e.log.close()
	}
}

// The password is found in a log, plain and as it travels.
func TestSecrets_log(t *testing.T) {
	for _, c := range []struct {
		name string
		line func(e *examination) string
		want State
	}{
		{"nothing", func(*examination) string { return "example.com" }, OK},
		{"password", func(e *examination) string { return "x" + e.password + "x" }, Fail},
		{"credentials", func(e *examination) string { return e.accounts[0].basic() }, Fail},
		{"address", func(e *examination) string { return e.accounts[0].address() }, Fail},
		{"address, as log.privacy wishes", func(e *examination) string { e.Settings.Log.Privacy = "full"; return e.accounts[0].address() }, OK},
	} {
		e := examined(t, always(502), nil)
		e.log = &records{path: "decisions.jsonl", text: c.line(e)}
		if f := e.secrets(t.Context())[1]; f.State != c.want || strings.Contains(f.What, e.password) {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

// Of a guard on another computer no log is read, so nothing is said of it.
func TestSecrets_logElsewhere(t *testing.T) {
	for _, local := range []bool{false, true} {
		e := examined(t, always(502), nil)
		e.Local, e.State = local, t.TempDir()
		if err := e.Settings.Set("state", e.State); err != nil {
			t.Fatal(err)
		}
		e.log = e.openRecords()
		if f := e.secrets(t.Context())[1]; f.State == OK != local {
			t.Errorf("local %v: %+v", local, f)
		}
	}
}

func TestClock(t *testing.T) {
	e := examined(t, always(502), nil)
	e.date, e.offset = time.Now(), maxClockSkew+time.Second
	if f := e.clock(t.Context())[0]; f.State != Fail {
		t.Errorf("%+v", f)
	}
	e.offset = -time.Second
	if f := e.clock(t.Context())[0]; f.State != OK {
		t.Errorf("%+v", f)
	}
	root := *e.Root
	root.NotBefore = time.Now().Add(time.Hour)
	e.Root = &root
	if f := e.clock(t.Context())[0]; f.State != Fail || !strings.Contains(f.What, "before the root") {
		t.Errorf("%+v", f)
	}
}

// A report may say what a stranger's server or another proxy has said; the terminal obeys none of it.
func TestReport_forTerminals(t *testing.T) {
	said := "mail\u009b2J\x1b[2J\u202e.net"
	r := &Report{Findings: []Finding{fail(said, said, said)}}
	for name, write := range map[string]func(io.Writer) error{"text": r.Write, "JSON": r.WriteJSON} {
		var out strings.Builder
		if err := write(&out); err != nil || strings.ContainsAny(out.String(), "\u009b\x1b\u202e") || strings.Count(out.String(), `\u009b2J`) != 3+strings.Count(name, "text") {
			t.Errorf("%s: %q, %v", name, out.String(), err)
		}
	}
}
