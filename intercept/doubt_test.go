package intercept_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/elazarl/goproxy"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/intercept"
)

// What the guard does where it does not know, row by row as the README has it. The rows about files at a start and about a broken configuration are
// in cmd, testdata/script/doubt-*.txtar; other tests of this package look at each row at more doors.
func TestWhenInDoubt(t *testing.T) {
	for row, test := range map[string]func(*testing.T){
		"upstream's certificate does not verify":              doubtCertificate,
		"the answer for a guarded subject cannot be read":     doubtGuardedAnswer,
		"the answer for anybody else cannot be read":          doubtOtherAnswer,
		"the log cannot be written":                           doubtLog,
		"over a limit":                                        doubtLimit,
		"the environment's proxy settings point at the guard": doubtEnvironment,
		"a handler panics":                                    doubtPanic,
	} {
		t.Run(row, test)
	}
}

const (
	nobody  = "user@corp-mail.net" // not guarded
	somehow = "email@example.com"  // guarded, and nobody may be named to it
)

// quiet checks that a guarded client got the refusal that it settles on.
func quiet(t *testing.T, got reply) {
	t.Helper()
	if got.StatusCode != http.StatusOK || got.body != suggest(somehow) {
		t.Errorf("guarded: got %d %q, want the dialect's own refusal", got.StatusCode, got.body)
	}
}

func doubtCertificate(t *testing.T) {
	cert, err := newAuthority(t, "rogue").sign(&x509.Certificate{DNSNames: []string{central}, NotAfter: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{next: jsonAnswer(suggest(somehow, stranger))}
	w := newWorld(t, jsonAnswer(""), resolve(central+":443", secured(t, s.handle, cert)))
	quiet(t, send(t, w.client(true), ask(t, "https", somehow)))
	got := send(t, w.client(true), ask(t, "https", nobody))
	if got.StatusCode != http.StatusBadGateway || !strings.Contains(got.body, "shows a certificate of an unknown authority (tls)") {
		t.Errorf("not guarded: got %d %q, want a 502 page with the reason", got.StatusCode, got.body)
	}
	if n := s.asked.Load(); n != 0 {
		t.Errorf("upstream was asked %d times", n)
	}
}

const unreadable = `{"email":"x","protocols":[{"hostname":"` + stranger + `"` // breaks off

func doubtGuardedAnswer(t *testing.T) {
	w := newWorld(t, jsonAnswer(unreadable))
	quiet(t, send(t, w.client(true), ask(t, "https", somehow)))
	if record := w.decision(1); record["action"] != "refuse" {
		t.Errorf("got %v", record)
	}
}

func doubtOtherAnswer(t *testing.T) {
	w := newWorld(t, jsonAnswer(unreadable))
	if got := send(t, w.client(true), ask(t, "https", nobody)); got.StatusCode != http.StatusOK || got.body != unreadable {
		t.Errorf("got %d %q, want it untouched", got.StatusCode, got.body)
	}
	if record := w.decision(1); record["action"] != "pass" {
		t.Errorf("got %v", record)
	}
}

// bypassed is a host of nobody's discovery.
const bypassed = "autodiscover.corp-mail.net"

// brokenLog is a log on a disk that is full, or worse.
type brokenLog struct {
	zapcore.Core
	panics bool
	level  bool // panics when it is asked for its level already
	asked  chan struct{}
}

func (b brokenLog) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return c.AddCore(e, b)
}
func (b brokenLog) With([]zapcore.Field) zapcore.Core { return b }

func (b brokenLog) Enabled(zapcore.Level) bool {
	if b.level {
		b.asked <- struct{}{}
		panic("no level")
	}
	return true
}

func (b brokenLog) Write(zapcore.Entry, []zapcore.Field) error {
	b.asked <- struct{}{}
	if b.panics {
		panic("no space left on device")
	}
	return errors.New("no space left on device")
}

// Enforcement goes on, and each record is still offered to the log, so that it can count what it could not write.
func doubtLog(t *testing.T) {
	for name, how := range map[string]brokenLog{"it says so": {}, "it panics": {panics: true}, "its level panics": {level: true}} {
		t.Run(name, func(t *testing.T) {
			for _, door := range doors {
				log := how
				log.Core, log.asked = zapcore.NewNopCore(), make(chan struct{}, 16)
				w := newWorld(t, jsonAnswer(suggest(somehow, stranger)), func(c *intercept.Config, _ *proxyServer, _ *world) {
					c.Upstream.Resolve[bypassed] = c.Upstream.Resolve[bank+":443"]
					c.Decisions = zap.New(log, zap.ErrorOutput(zapcore.AddSync(new(silence))))
					life := log
					life.asked = make(chan struct{}, 1<<10)
					c.Logger = zap.New(life, zap.ErrorOutput(zapcore.AddSync(new(silence))))
				})
				client := door.client(w)
				for range 2 {
					got := send(t, client, ask(t, door.scheme, somehow))
					quiet(t, got)
					if got.err != nil {
						t.Errorf("%s: %v", door.name, got.err)
					}
					await(t, log.asked)
				}
				if got := send(t, client, request(t, http.MethodGet, door.scheme+"://opened.net/", "")); got.StatusCode != http.StatusOK {
					t.Errorf("%s, not discovery: got %d", door.name, got.StatusCode)
				}
				for _, to := range []string{bypassed, numberOf} { // tunnels that have a record of their own
					c, err := w.tls(to+":443", &tls.Config{ServerName: bypassed, RootCAs: w.web.roots()})
					if err != nil {
						t.Errorf("%s: %v", to, err)
						continue
					}
					await(t, log.asked)
					_ = c.Close()
				}
				// That it is a loop is found, and said, in a goroutine of the Transport's.
				if got := send(t, w.client(false), request(t, http.MethodGet, "http://"+w.addr+"/", "")); got.StatusCode != http.StatusLoopDetected {
					t.Errorf("%s, a loop: got %d", door.name, got.StatusCode)
				}
				client.CloseIdleConnections()
				w.eventually(t, "the slots", func(s intercept.Stats) bool { return s.Tunnels == 0 })
			}
		})
	}
}

type silence struct{}

// Write implements io.Writer.
func (silence) Write(p []byte) (int, error) { return len(p), nil }

func doubtLimit(t *testing.T) {
	echo := listen(t, func(c net.Conn) { _, _ = c.Write([]byte("ready")); _, _ = c.Read(make([]byte, 1)) })
	w := newWorld(t, jsonAnswer("{}"), resolve(bank+":25", echo), limits(intercept.Limits{Tunnels: 1}))
	runs, err := w.connect(bank + ":25")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.connect(bank + ":25"); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("new work: got %v, want 503", err)
	}
	if _, err := runs.Read(make([]byte, 5)); err != nil {
		t.Errorf("what runs: %v", err)
	}
	_ = runs.Close()
	w.eventually(t, "the slot", func(s intercept.Stats) bool { return s.Tunnels == 0 })
	if _, err := w.connect(bank + ":25"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func doubtEnvironment(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, "http://"+l.Addr().String())
	}
	w := newWorld(t, jsonAnswer("reached"))
	w.plugin.Listening(l.Addr())
	if got := send(t, w.client(false), request(t, http.MethodGet, "https://opened.net/", "")); got.body != "reached" {
		t.Errorf("nothing said about the environment: got %d %q", got.StatusCode, got.body)
	}
	w = newWorld(t, jsonAnswer("reached"), timeouts(func(u *intercept.UpstreamConfig) { u.Resolve, u.Proxy = nil, "env" }))
	w.plugin.Listening(l.Addr())
	if got := send(t, w.client(false), request(t, http.MethodGet, "https://opened.net/", "")); got.StatusCode != http.StatusLoopDetected {
		t.Errorf("env: got %d %q, want 508", got.StatusCode, got.body)
	}
}

func doubtPanic(t *testing.T) {
	w := newWorld(t, jsonAnswer(suggest(somehow, stranger)), onRequest(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		if r.Header.Get("X-Boom") != "" {
			panic("boom")
		}
		return r, nil
	}))
	client := w.client(true)
	boom := func(account string) reply {
		r := ask(t, "https", account)
		r.Header.Set("X-Boom", "1")
		return send(t, client, r)
	}
	quiet(t, boom(somehow))
	if got := boom(nobody); got.StatusCode != http.StatusBadGateway {
		t.Errorf("not guarded: got %d %q, want 502", got.StatusCode, got.body)
	}
	if got := send(t, client, ask(t, "https", nobody)); got.StatusCode != http.StatusOK {
		t.Errorf("the next one: got %d", got.StatusCode)
	}
	w.told("recovered from a panic")
}
