package intercept_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/elazarl/goproxy"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/intercept"
)

var update = flag.Bool("update", false, "rewrite the golden decision records")

// journal is a log file: what zap's JSON encoder writes of decisions and of everything else.
type journal struct {
	mu              sync.Mutex
	decisions, life bytes.Buffer
}

type logPage struct {
	j  *journal
	to *bytes.Buffer
}

// Write implements io.Writer.
func (p logPage) Write(b []byte) (int, error) {
	p.j.mu.Lock()
	defer p.j.mu.Unlock()
	return p.to.Write(b)
}

// keep is an option: both logs are written to the journal as the program writes them, before the world hears of it.
func (j *journal) keep(c *intercept.Config, _ *proxyServer, _ *world) {
	encoding := zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "msg", StacktraceKey: "stack",
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeTime:     utcNanoseconds,
		EncodeDuration: zapcore.StringDurationEncoder,
	}
	also := func(to *bytes.Buffer) zap.Option {
		return zap.WrapCore(func(core zapcore.Core) zapcore.Core {
			return zapcore.NewTee(zapcore.NewCore(zapcore.NewJSONEncoder(encoding), zapcore.AddSync(logPage{j, to}), zap.DebugLevel), core)
		})
	}
	c.Decisions, c.Logger = c.Decisions.WithOptions(also(&j.decisions)), c.Logger.WithOptions(also(&j.life))
}

func utcNanoseconds(t time.Time, e zapcore.PrimitiveArrayEncoder) {
	e.AppendString(t.UTC().Format(time.RFC3339Nano))
}

// text is what was written: decisions, and everything else.
func (j *journal) text() (decisions, life string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.decisions.String(), j.life.String()
}

// stop ends the world when everything in it is done, so that no record is still to come.
func (w *world) stop(clients ...*http.Transport) {
	w.tb.Helper()
	for _, c := range clients {
		c.CloseIdleConnections()
	}
	if err := w.plugin.Shutdown(w.tb.Context()); err != nil {
		w.tb.Errorf("stopping: %v", err)
	}
}

func fixedClock(c *intercept.Config, _ *proxyServer, _ *world) {
	at := time.Date(2025, 12, 8, 22, 32, 58, 123456789, time.FixedZone("CET", 3600))
	c.Clock = func() time.Time { return at }
}

// The record is an interface: whoever reads the log depends on its keys, their order and their form.
func TestEvent_golden(t *testing.T) {
	var j journal
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		about := r.Header.Get("X-Email")
		hosts := strings.Fields(r.URL.Query().Get("services"))
		if len(hosts) == 0 {
			jsonAnswer("{")(w, r)
			return
		}
		jsonAnswer(suggest(about, hosts...))(w, r)
	}, j.keep, fixedClock)
	client := w.client(false)
	for _, c := range []struct{ account, hosts string }{
		{"user@corp-mail.net", stranger},
		{"user@lab.test", "imap.lab.test"},
		{"user@lab.test", "imap.lab.test " + stranger},
		{"email@example.com", stranger},
		{"email@example.com", ""},
	} {
		r := ask(t, "http", c.account)
		r.Header.Set("X-Email", c.account)
		r.URL.RawQuery = "services=" + strings.ReplaceAll(c.hosts, " ", "+")
		send(t, client, r)
	}
	r := poxAsk(t, "http://"+docHost+"/email@example.com/autodiscover/autodiscover.xml?Email=email@example.com", "email@example.com")
	send(t, client, r)
	w.stop(client)

	got, _ := j.text()
	got = regexp.MustCompile(`"exchange":"[0-9a-f]{8}-[0-9a-z]+"`).ReplaceAllString(got, `"exchange":"RUN-N"`)
	name := filepath.Join("testdata", "decision.golden.json")
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.SplitAfter(string(want), "\n"), strings.SplitAfter(got, "\n")); d != "" {
		t.Errorf("records differ (-want +got; -update rewrites them):\n%s", d)
	}
}

// fates are all that can become of a recognised exchange. Whatever asks is about account.
var fates = []struct {
	name, account, says string
	options             func(testing.TB) []option
	action, failure     string
	level               zapcore.Level
}{
	{"pass", "user@corp-mail.net", suggest("", stranger), nil, "pass", "", zap.DebugLevel},
	{"pass guarded", "user@lab.test", suggest("", "imap.lab.test"), nil, "pass", "", zap.InfoLevel},
	{"edit", "user@lab.test", suggest("", "imap.lab.test", stranger), nil, "edit", "", zap.WarnLevel},
	{"refuse", "email@example.com", suggest("", stranger), nil, "refuse", "", zap.WarnLevel},
	{"refuse what cannot be read", "email@example.com", "{", nil, "refuse", "", zap.ErrorLevel},
	{"no upstream", "user@corp-mail.net", "", nowhere, "pass", "connect", zap.DebugLevel},
	{"no upstream, guarded", "email@example.com", "", nowhere, "refuse", "connect", zap.WarnLevel},
	{"panic", "user@corp-mail.net", "{}", panics, "pass", "panic", zap.DebugLevel},
	{"panic, guarded", "email@example.com", "{}", panics, "refuse", "panic", zap.WarnLevel},
	{"panic behind us, guarded", "email@example.com", "{}", panicsOnAnswer, "refuse", "panic", zap.WarnLevel},
}

func nowhere(tb testing.TB) []option {
	tb.Helper()
	addr := refusing(tb)
	return []option{resolve(central+":80", addr), resolve(central+":443", addr)}
}

func panics(testing.TB) []option {
	return []option{onRequest(func(*http.Request, *goproxy.ProxyCtx) (*http.Request, *http.Response) { panic("boom") })}
}

func panicsOnAnswer(testing.TB) []option {
	return []option{onResponse(func(*http.Response, *goproxy.ProxyCtx) *http.Response { panic("boom") })}
}

func TestEvent_oneRecordForEveryExchange(t *testing.T) {
	for _, door := range everyDoor {
		for _, c := range fates {
			t.Run(door.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				var j journal
				options := []option{j.keep}
				if c.options != nil {
					options = append(options, c.options(t)...)
				}
				w := newWorld(t, jsonAnswer(c.says), options...)
				client := door.client(w)
				got := send(t, client, ask(t, door.scheme, c.account))
				w.stop(client)
				entries := w.decisions.All()
				if len(entries) != 1 {
					t.Fatalf("got %d records, want 1: %v", len(entries), entries)
				}
				record := entries[0].ContextMap()
				if entries[0].Message != intercept.EventMessage || entries[0].Level != c.level {
					t.Errorf("got %s %q, want %s %q", entries[0].Level, entries[0].Message, c.level, intercept.EventMessage)
				}
				if record["action"] != c.action || record["upstream"].(map[string]any)["error"] != c.failure {
					t.Errorf("got %v, want action %s, upstream error %q", record, c.action, c.failure)
				}
				if record["status"] != int64(got.StatusCode) || record["bytes_out"] != int64(len(got.body)) || record["door"] != door.record {
					t.Errorf("got %v for an answer of %d with %d bytes", record, got.StatusCode, len(got.body))
				}
				checkLines(t, &j, 1)
			})
		}
	}
}

func TestEvent_noneForWhatIsNotDiscovery(t *testing.T) {
	for _, door := range everyDoor {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer("<!DOCTYPE html>"+suggest("email@example.com", stranger))) // a page, whatever it says
			client := door.client(w)
			for _, target := range []string{
				bank + "/", "opened.net/", central + "/", central + "/autodetect/health", "example.com/", labHost + "/owa/?email=email@example.com",
				labHost + "/autodiscover.xml", "opened.net/microsoft-server-activesync",
			} {
				send(t, client, request(t, http.MethodGet, door.scheme+"://"+target, ""))
			}
			r := request(t, http.MethodGet, door.scheme+"://"+central+detect, "")
			r.Host = bank // inside a tunnel it is turned away; at the plain door net/http's client makes it the URL's host
			send(t, client, r)
			w.stop(client)
			if n := w.decisions.Len(); n != 0 {
				t.Errorf("got %d records, want none: %v", n, w.decisions.All())
			}
		})
	}
}

// checkLines checks that the decision log is one JSON object per line, n lines, none of them long.
func checkLines(t *testing.T, j *journal, n int) {
	t.Helper()
	decisions, life := j.text()
	for name, text := range map[string]string{"decisions": decisions, "life": life} {
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if text == "" {
			lines = nil
		}
		if name == "decisions" && len(lines) != n {
			t.Errorf("got %d lines of decisions, want %d:\n%.2000s", len(lines), n, text)
		}
		for _, line := range lines {
			if !json.Valid([]byte(line)) || !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' }) {
				t.Errorf("%s: not a line of JSON: %.500q", name, line)
			}
			if name == "decisions" && len(line) > 8<<10 {
				t.Errorf("%s: a record of %d bytes: %.500q", name, len(line), line)
			}
		}
	}
}

// Nobody outside may write a line of the log, or fill it.
func TestEvent_injection(t *testing.T) {
	const forged = `x","action":"pass"}` + "\n" + `{"msg":"decision","forged":true}` + "\r\n"
	long := strings.Repeat("long.", 2000)
	values := map[string]string{
		"newlines":      forged,
		"control bytes": "a\x00\x01\x1b[31m\x7f\u0085\u2028\u2029z",
		"invalid UTF-8": "\xff\xfe\xc3(.example.net",
		"10 KB":         long + "net",
		"many":          strings.Repeat("/a@", 5<<10), // in a path of the answer's own making it must not cost the square of its length
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quoted, _ := json.Marshal(value)
			says := fmt.Sprintf(`{"email":%s,"protocols":[{"protocol":%s,"hostname":%s,"port":%s},{"hostname":"https://h.net/%s"},{%s:"https://x.net/"}]}`,
				quoted, quoted, quoted, quoted, strings.Trim(string(quoted), `"`), quoted)
			if name == "invalid UTF-8" {
				says = `{"protocols":[{"hostname":"` + value + `"}]}`
			}
			for _, door := range doors[1:3] { // HTTP/1 and HTTP/2; the record is written in one place for all
				var j journal
				w := newWorld(t, jsonAnswer(says), j.keep)
				client := door.client(w)
				n, value := 0, value[:min(len(value), 10<<10)] // a header has its own limit
				for _, account := range []string{"user@corp-mail.net", "email@example.com", "user@lab.test", "a@" + value, value + "@example.com"} {
					r := ask(t, door.scheme, account)
					r.URL.RawQuery = "email=" + percent(account)
					send(t, client, r)
					r = poxAsk(t, door.scheme+"://opened.net/autodiscover/autodiscover.xml", account)
					r.URL.Path = "/" + value + "/autodiscover/autodiscover.xml"
					send(t, client, r)
					n += 2
				}
				w.stop(client)
				checkLines(t, &j, n)
				if decisions, life := j.text(); strings.Contains(decisions+life, `"forged":true`) {
					t.Errorf("somebody else wrote into the log:\n%s%s", decisions, life)
				}
			}
		})
	}
}

// percent encodes every byte, so that any value can stand in a query.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}
