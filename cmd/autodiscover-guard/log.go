package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

// encoderConfig is the form of every line: one JSON object, UTC times with nanoseconds. zap's production preset is not used, because it
// samples: of a thousand equal decisions it writes a hundred and something.
func encoderConfig() zapcore.EncoderConfig {
	return zapcore.EncoderConfig{
		TimeKey:        "time",
		LevelKey:       "level",
		NameKey:        "logger",
		MessageKey:     "msg",
		StacktraceKey:  "stack",
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeTime:     utcTime,
		EncodeDuration: zapcore.StringDurationEncoder,
		EncodeName:     zapcore.FullNameEncoder,
		LineEnding:     zapcore.DefaultLineEnding,
	}
}

// waiting is how many records may wait for a daemon, or for whoever reads a stream, that is slow to take them.
const waiting = 4096

// openDecisions opens the audit log: every record, of every level. shown hears of all; it may be nil.
func (o *logOpener) openDecisions(c *config.Config, shown func(record.Record)) (*record.Log, error) {
	sink, queue, err := openSink(c, o.stdout, o.stderr, o.life)
	if err != nil {
		return nil, err
	}
	return record.New(record.Config{
		Sink: sink, Queue: queue, Encoder: encoderConfig(), Repeat: record.Rate(c.Log.Repeat), Dropped: console.Dropped(o.figures), Shown: shown, Logger: o.life,
	}), nil
}

// openSink opens what the configuration names, and says how many records may wait for it.
func openSink(c *config.Config, stdout, stderr io.Writer, logger *zap.Logger) (sink record.Sink, queue int, err error) {
	switch c.Log.Sink {
	case "journald":
		sink, err = record.OpenJournald()
		queue = waiting
	case "syslog":
		sink, err = record.OpenSyslog("")
		queue = waiting
	case "stderr":
		return record.Stream(stderr), waiting, nil
	default:
		return openDecisionsFile(c, stdout, logger)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("log.sink: %w", err)
	}
	return sink, queue, nil
}

// openDecisionsFile opens a file that is readable by its owner alone; "-" is the standard output.
func openDecisionsFile(c *config.Config, stdout io.Writer, logger *zap.Logger) (record.Sink, int, error) {
	name, err := c.DecisionsFile()
	if err != nil {
		return nil, 0, err
	}
	if name == "-" {
		return record.Stream(stdout), waiting, nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, 0, fmt.Errorf("log.decisions: %w", err)
	}
	r := c.Log.Rotate
	file, err := record.OpenFile(name, record.Rotation{Size: r.Size, Every: r.Every, Keep: int(r.Keep), Age: r.Age}, logger)
	if errors.Is(err, record.ErrTaken) {
		return nil, 0, hint(fmt.Errorf("log.decisions: %s: %w", name, err), "give each a file of its own: what one writes is lost where the other moves the file aside (log.rotate)")
	}
	if err != nil {
		return nil, 0, fmt.Errorf("log.decisions: %w", err)
	}
	return file, 0, nil
}

// whereDecisions says where to look for them.
func whereDecisions(c *config.Config) (string, error) {
	switch c.Log.Sink {
	case "journald":
		return "journalctl -t " + record.Identifier, nil
	case "syslog":
		return "the syslog of this computer, as " + record.Identifier, nil
	case "stderr":
		return "standard error", nil
	}
	name, err := c.DecisionsFile()
	if name == "-" {
		name = "standard output"
	}
	return name, err
}

// decisionLogger writes every record to w: for a demonstration, which ends before anything could repeat or fill up.
func decisionLogger(w io.Writer) *zap.Logger {
	return zap.New(record.New(record.Config{Sink: record.Stream(w), Encoder: encoderConfig()}).Core())
}

// lifeLogger writes what is no decision to standard error, for people: what started, what stopped, what failed. Nobody who says something waits for
// whoever reads it, and a client in a loop does not fill it. The function writes what waits at the end, as far as that is possible.
func lifeLogger(w io.Writer, l *config.Log) (*zap.Logger, func(), error) {
	at, err := zapcore.ParseLevel(l.Level)
	if err != nil {
		return nil, nil, fmt.Errorf("log.level: %w", err)
	}
	c := encoderConfig()
	c.ConsoleSeparator = "  "
	talk := record.New(record.Config{Sink: record.Stream(w), Queue: waiting, Encoder: c, Console: true, Repeat: record.Rate(l.Repeat)})
	return zap.New(talk.Core(), zap.IncreaseLevel(at)), func() { _ = talk.Close() }, nil
}

func utcTime(t time.Time, e zapcore.PrimitiveArrayEncoder) {
	e.AppendString(t.UTC().Format(time.RFC3339Nano))
}
