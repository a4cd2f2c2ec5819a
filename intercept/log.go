package intercept

import (
	"bytes"
	"fmt"
	"log"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// bridge lets goproxy log through zap, at debug level: it knows no levels but in its texts.
type bridge struct{ logger *zap.Logger }

// Printf implements goproxy.Logger.
func (b bridge) Printf(format string, v ...any) {
	if entry := b.logger.Check(zap.DebugLevel, "goproxy"); entry != nil {
		entry.Write(zap.String("text", strings.TrimSpace(fmt.Sprintf(format, v...))))
	}
}

// recovered logs a panic with its place. The value's text is kept only where the runtime wrote it: a handler may panic with anything that
// it was given, passwords included.
func (p *Plugin) recovered(v any, about zap.Field) {
	text := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		text = err.Error()
	}
	p.logger.Error("recovered from a panic", about, zap.String("panic", text), zap.ByteString("stack", debug.Stack()))
}

// StandardLog returns a logger for net/http's servers and for the standard logger, to which its transport complains: debug lines of l, without what they quote. Of a
// question that is none, and of an answer that nobody has asked for, net/http quotes what has come (Go 1.26, h2_bundle.go: readPreface, transport.go:
// readLoopPeekFailLocked), and that may be an account, a cookie, or what the client has said.
func StandardLog(l *zap.Logger) *log.Logger { return log.New(bridgeWriter{l}, "", 0) }

type bridgeWriter struct{ logger *zap.Logger }

// Write implements io.Writer.
func (b bridgeWriter) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	if from, to := strings.IndexByte(text, '"'), strings.LastIndexByte(text, '"'); from < to {
		text = text[:from] + "…" + text[to+1:]
	}
	b.logger.Debug(text)
	return len(line), nil
}

// logEvery is how often such a message is logged at most. What it is about is counted each time.
const logEvery = 10 * time.Second

// logThrottle keeps a message that may repeat from filling the log: it remembers when that was last logged.
type logThrottle struct{ last atomic.Pointer[time.Time] }

// due reports whether it may be logged again, to one caller each time.
func (c *logThrottle) due() bool {
	now := time.Now()
	last := c.last.Load()
	return (last == nil || now.Sub(*last) > logEvery) && c.last.CompareAndSwap(last, &now)
}
