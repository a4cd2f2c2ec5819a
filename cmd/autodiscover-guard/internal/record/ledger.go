package record

import (
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// DroppedMessage is the message of the line that says how many decisions have no record, because it could not be written:
//
//	{"level":"error","time":…,"msg":"records dropped","schema":1,"dropped":17,"from":…,"to":…}
//
// It stands behind the first record that could be written again. It is no decision.
const DroppedMessage = "records dropped"

// droppedSchema is the version of that line.
const droppedSchema = 1

// ledger keeps account of what a sink did not take.
type ledger struct {
	sink    Sink
	encoder zapcore.Encoder
	dropped func(int)
	logger  *zap.Logger

	mu       sync.Mutex // guards what follows; no record is written while it is held, but for the one that settles
	lost     int        // decisions, since the last settlement
	from, to time.Time
}

// put writes a record, or counts it.
func (l *ledger) put(r Record) {
	if err := l.sink.Put(r); err != nil {
		l.drop(r, err)
		return
	}
	l.settle()
}

// drop counts a record that could not be written. The first of them is said aloud.
func (l *ledger) drop(r Record, err error) {
	l.mu.Lock()
	first := l.lost == 0
	if first {
		l.from, l.to = r.Time, r.Time
	}
	if r.Time.Before(l.from) { // a held one has the time of the first that it stands for
		l.from = r.Time
	}
	if r.Time.After(l.to) {
		l.to = r.Time
	}
	l.lost += r.Count
	l.mu.Unlock()
	l.dropped(r.Count)
	if first {
		l.logger.Error("decision records cannot be written; they are dropped and counted until that is possible again", zap.Error(err))
	}
}

// settle writes down how many records were dropped, if any were. What cannot be written stays in the account.
func (l *ledger) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == 0 {
		return
	}
	fields := []zap.Field{zap.Int("schema", droppedSchema), zap.Int("dropped", l.lost), zap.Time("from", l.from), zap.Time("to", l.to)}
	entry := zapcore.Entry{Level: zapcore.ErrorLevel, Time: time.Now().UTC(), Message: DroppedMessage}
	line, err := l.encoder.EncodeEntry(entry, fields)
	if err != nil {
		return
	}
	defer line.Free()
	if l.sink.Put(Record{Time: entry.Time, Level: entry.Level, Message: entry.Message, Line: line.Bytes()}) != nil {
		return
	}
	l.logger.Warn("decision records can be written again", fields[1:]...)
	l.lost = 0
}

// confess says at the end what the sink could not be told.
func (l *ledger) confess() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost > 0 {
		l.logger.Error("decision records were dropped, and the log does not say so", zap.Int("dropped", l.lost), zap.Time("from", l.from), zap.Time("to", l.to))
	}
}
