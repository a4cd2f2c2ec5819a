package record_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

// encoder is the form that the program gives to records.
func encoder() zapcore.EncoderConfig {
	return zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", MessageKey: "msg", LineEnding: "\n",
		EncodeLevel: zapcore.LowercaseLevelEncoder,
		EncodeTime:  func(t time.Time, e zapcore.PrimitiveArrayEncoder) { e.AppendString(t.UTC().Format(time.RFC3339Nano)) },
	}
}

type pair struct{ present, forwarded bool }

func (p pair) MarshalLogObject(e zapcore.ObjectEncoder) error {
	e.AddBool("present", p.present)
	e.AddBool("forwarded", p.forwarded)
	return nil
}

// decide writes a decision as the plugin does: exchange and took differ every time.
func decide(log *zap.Logger, client, path string, exchange int) {
	log.Warn("decision", zap.Int("schema", 1), zap.String("exchange", fmt.Sprint("run-", exchange)), zap.String("action", "refuse"), zap.String("would", ""),
		zap.String("reason", "1 of 1 suggestions name hosts outside the rule"), zap.String("client", client), zap.String("host", "prod.autodetect.outlook.cloud.microsoft"),
		zap.String("path", path), zap.String("dialect", "autodetect"), zap.Strings("subjects", []string{"example.com", "lab.test"}), zap.Strings("accounts", nil),
		zap.Object("credentials", pair{present: true}), zap.Int("bytes_in", exchange%7), zap.Int("bytes_out", exchange%5), zap.Int("took_ms", exchange%11))
}

// entry is what tests read back.
type entry struct {
	Level, Msg, Exchange, Client, Path string
	Time                               time.Time
	Repeat                             int
	Dropped                            int
	From, To                           time.Time
}

// stands is how many decisions a record stands for.
func (e entry) stands() int {
	switch {
	case e.Msg != "decision":
		return 0
	case e.Repeat > 0:
		return e.Repeat
	}
	return 1
}

// read takes a log apart; lines that are no JSON come back as torn.
func read(t *testing.T, text []byte) (entries []entry, torn []string) {
	t.Helper()
	for line := range bytes.Lines(text) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			torn = append(torn, string(line))
			continue
		}
		entries = append(entries, e)
	}
	return entries, torn
}

func total(entries []entry) (decisions, dropped int) {
	for _, e := range entries {
		decisions += e.stands()
		dropped += e.Dropped
	}
	return decisions, dropped
}

// faulty is a sink in memory that can be told to refuse.
type faulty struct {
	mu   sync.Mutex
	text bytes.Buffer
	full bool
}

var errFull = errors.New("no space left on device")

func (f *faulty) Put(r record.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return errFull
	}
	f.text.Write(r.Line)
	return nil
}

func (f *faulty) Reopen() error { return nil }
func (f *faulty) Close() error  { return nil }

func (f *faulty) setFull(full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = full
}

func (f *faulty) read(t *testing.T) []entry {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	entries, torn := read(t, f.text.Bytes())
	if len(torn) > 0 {
		t.Fatalf("torn lines %q", torn)
	}
	return entries
}

// newLog is a log with a zap.Logger on it.
func newLog(sink record.Sink, repeat record.Rate, life io.Writer) (*record.Log, *zap.Logger) {
	logger := zap.NewNop()
	if life != nil {
		logger = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoder()), zapcore.Lock(zapcore.AddSync(life)), zap.DebugLevel))
	}
	log := record.New(record.Config{Sink: sink, Encoder: encoder(), Repeat: repeat, Logger: logger})
	return log, zap.New(log.Core())
}
