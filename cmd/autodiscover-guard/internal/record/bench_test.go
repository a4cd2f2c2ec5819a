package record_test

import (
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

// nowhere takes everything.
type nowhere struct{}

func (nowhere) Put(record.Record) error { return nil }
func (nowhere) Reopen() error           { return nil }
func (nowhere) Close() error            { return nil }

// What a record costs: encoded alone, looked at for repeats, held as a repeat, and written to a file.
func BenchmarkDecision(b *testing.B) {
	many := record.Rate{Count: 1 << 30, Per: time.Hour}
	for _, c := range []struct {
		name   string
		repeat record.Rate
		file   bool
	}{{"encoded", record.Rate{}, false}, {"looked-at", many, false}, {"held", record.Rate{Count: 1, Per: time.Hour}, false}, {"file", many, true}} {
		b.Run(c.name, func(b *testing.B) {
			var sink record.Sink = nowhere{}
			if c.file {
				f, err := record.OpenFile(filepath.Join(b.TempDir(), "decisions.jsonl"), record.Rotation{}, zap.NewNop())
				if err != nil {
					b.Fatal(err)
				}
				sink = f
			}
			log, decisions := newLog(sink, c.repeat, nil)
			defer log.Close()
			fields := []zap.Field{
				zap.Int("schema", 1), zap.String("exchange", "run-1"), zap.String("action", "refuse"), zap.String("client", "192.0.2.1"),
				zap.String("reason", "1 of 1 suggestions name hosts outside the rule"), zap.String("host", "prod.autodetect.outlook.cloud.microsoft"),
				zap.String("path", "/autodetect/detect"), zap.Strings("subjects", []string{"example.com"}), zap.Object("credentials", pair{present: true}),
				zap.Int("bytes_in", 300), zap.Int("bytes_out", 58), zap.Int("took_ms", 7), zap.String("policy", "c220bfd2d474"),
			}
			b.ReportAllocs()
			for b.Loop() {
				if e := decisions.Check(zap.WarnLevel, "decision"); e != nil {
					e.Write(fields...)
				}
			}
		})
	}
}
