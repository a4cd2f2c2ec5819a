package notify_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/cmd/autodiscover-guard/internal/notify"
)

const (
	secretText = "correct-horse-battery-staple"
	hook       = "https://hooks.corp.example.net/geheim-path?token=geheim-token"
)

// post is one request to the webhook.
type post struct {
	header http.Header
	body   []byte
	told   told
	at     time.Time
}

// told is what stands in it.
type told struct {
	Version   int
	Type      notify.Type
	Timestamp time.Time
	Guard     string
	Summary   string
	Count     int
	Data      map[string]any
}

// webhook is a transport whose other end answers as it is told: with the status of answer for the n-th request, or an error for 0.
type webhook struct {
	t      *testing.T
	answer func(n int) (status int, header http.Header)
	gate   chan struct{} // nil, or what each request waits for

	mu    sync.Mutex
	posts []post
}

func always(status int) func(int) (int, http.Header) {
	return func(int) (int, http.Header) { return status, nil }
}

// RoundTrip implements http.RoundTripper.
func (w *webhook) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p := post{header: r.Header.Clone(), body: body, at: time.Now()}
	if err := json.Unmarshal(body, &p.told); err != nil {
		w.t.Errorf("the body is no JSON: %v", err)
	}
	w.mu.Lock()
	w.posts = append(w.posts, p)
	n := len(w.posts)
	w.mu.Unlock()
	if w.gate != nil {
		select {
		case <-w.gate:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	status, header := w.answer(n)
	if status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, nil
}

func (w *webhook) all() []post {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]post(nil), w.posts...)
}

// world is a notifier with all that belongs to it.
type world struct {
	notifier  *notify.Notifier
	decisions *zap.Logger
	life      *zap.Logger
	log       bytes.Buffer // what the notifier itself says
	outcomes  map[notify.Outcome]int
	mu        sync.Mutex
}

const reloadFailed = "the configuration was not reloaded"

func start(t *testing.T, hookTransport http.RoundTripper, file string) *world {
	t.Helper()
	secret, err := notify.ParseSecret([]byte(secretText + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{outcomes: make(map[notify.Outcome]int)}
	if file == "" {
		file = filepath.Join(t.TempDir(), "strangers.json")
		defer func() {
			if w.log.Len() > 0 {
				t.Errorf("a new memory: %s", w.log.String())
			}
		}()
	}
	w.notifier, err = notify.New(notify.Config{
		URL: hook, Secret: secret, Strangers: file, Quiet: time.Hour, Agent: "autodiscover-guard/test", Transport: hookTransport,
		Logger: zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg"}), zapcore.Lock(zapcore.AddSync(&w.log)), zap.DebugLevel)),
		Outcome: func(_ notify.Type, o notify.Outcome) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.outcomes[o]++
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.decisions = zap.New(w.notifier.Decisions())
	w.life = zap.New(w.notifier.Life(map[string]notify.Type{reloadFailed: notify.Reload}))
	return w
}

type decision struct {
	action, would string
	forwarded     bool
	failure       string
	strangers     []string
	ruleless      bool
}

// decide writes a record as the plugin does.
func (w *world) decide(d decision) {
	rule := "documentation"
	if d.ruleless {
		rule = ""
	}
	w.decisions.Warn("decision", zap.String("exchange", "run-1"), zap.String("action", d.action), zap.String("would", d.would), zap.String("rule", rule),
		zap.String("reason", "because"), zap.String("client", "192.0.2.7"), zap.String("host", "prod.autodetect.outlook.cloud.microsoft"), zap.String("dialect", "autodetect"),
		zap.Strings("subjects", []string{"example.com"}),
		zap.Object("credentials", zapcore.ObjectMarshalerFunc(func(e zapcore.ObjectEncoder) error { e.AddBool("forwarded", d.forwarded); return nil })),
		zap.Strings("strangers", d.strangers),
		zap.Object("upstream", zapcore.ObjectMarshalerFunc(func(e zapcore.ObjectEncoder) error { e.AddString("error", d.failure); return nil })))
}

func refused(hosts ...string) decision { return decision{action: "refuse", strangers: hosts} }
