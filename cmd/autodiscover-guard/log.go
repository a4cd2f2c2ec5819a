package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
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

// openDecisions opens the audit log: every record, of every level, unbuffered, readable by its owner alone. name "-" is standard output.
func openDecisions(name string, stdout io.Writer) (*zap.Logger, io.Closer, error) {
	if name == "-" {
		return decisionLogger(zapcore.AddSync(stdout)), io.NopCloser(nil), nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, nil, fmt.Errorf("log.decisions: %w", err)
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("log.decisions: %w", err)
	}
	return decisionLogger(f), f, nil
}

func decisionLogger(w zapcore.WriteSyncer) *zap.Logger {
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoderConfig()), zapcore.Lock(w), zapcore.DebugLevel))
}

// lifeLogger writes what is no decision to standard error, for people: what started, what stopped, what failed.
func lifeLogger(w io.Writer, level string) (*zap.Logger, error) {
	at, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	c := encoderConfig()
	c.ConsoleSeparator = "  "
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(c), zapcore.Lock(zapcore.AddSync(w)), at)), nil
}

func utcTime(t time.Time, e zapcore.PrimitiveArrayEncoder) {
	e.AppendString(t.UTC().Format(time.RFC3339Nano))
}
