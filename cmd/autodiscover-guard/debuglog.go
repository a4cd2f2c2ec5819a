package main

import (
	"bytes"
	"log"

	"go.uber.org/zap"
)

// debugLog is a standard logger for libraries that know no other: what net/http tells is about clients and servers that misbehave.
func debugLog(logger *zap.Logger) *log.Logger {
	return log.New(debugWriter{logger}, "", 0)
}

// debugWriter writes each line at debug level, without what is quoted in it: of an answer that nobody has asked for net/http quotes as much as has come
// (Go 1.26, net/http/transport.go: readLoopPeekFailLocked), and that may be the rest of one with settings, a cookie, or what the client has said.
type debugWriter struct{ logger *zap.Logger }

// Write implements io.Writer.
func (w debugWriter) Write(line []byte) (int, error) {
	text := bytes.TrimSpace(line)
	if from, to := bytes.IndexByte(text, '"'), bytes.LastIndexByte(text, '"'); from < to {
		text = append(append(bytes.Clone(text[:from]), "…"...), text[to+1:]...)
	}
	w.logger.Debug(string(text))
	return len(line), nil
}
