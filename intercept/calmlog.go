package intercept

import (
	"bytes"
	"errors"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// calm is a logger that does not panic. Lines about the life of the plugin are written in goroutines where nobody recovers, of package net/http's and our own, and from where a panic was
// recovered already; there a log that panics would be the end of the process.
func calm(l *zap.Logger) *zap.Logger {
	return l.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return calmCore{c} }))
}

// calmCore is its core.
type calmCore struct{ zapcore.Core }

var errLogPanicked = errors.New("the log has panicked")

// Enabled implements zapcore.Core. A level that cannot be asked for has no lines.
func (c calmCore) Enabled(level zapcore.Level) (enabled bool) {
	defer func() {
		if recover() != nil {
			enabled = false
		}
	}()
	return c.Core.Enabled(level)
}

// With implements zapcore.Core.
func (c calmCore) With(fields []zapcore.Field) zapcore.Core { return calmCore{c.Core.With(fields)} }

// Check implements zapcore.Core. Which of the cores below takes an entry, they say themselves.
func (c calmCore) Check(e zapcore.Entry, all *zapcore.CheckedEntry) (with *zapcore.CheckedEntry) {
	defer func() {
		if recover() != nil {
			with = all
		}
	}()
	if below := c.Core.Check(e, nil); below != nil {
		return all.AddCore(e, calmEntry{c.Core, below})
	}
	return all
}

// calmEntry writes one entry.
type calmEntry struct {
	zapcore.Core
	below *zapcore.CheckedEntry
}

// Write implements zapcore.Core.
func (c calmEntry) Write(e zapcore.Entry, fields []zapcore.Field) (err error) {
	defer func() {
		if recover() != nil {
			err = errLogPanicked
		}
	}()
	var failed bytes.Buffer
	c.below.Entry, c.below.ErrorOutput = e, zapcore.AddSync(&failed)
	c.below.Write(fields...)
	if failed.Len() > 0 {
		return errors.New(failed.String())
	}
	return nil
}
