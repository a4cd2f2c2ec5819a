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

// linesDropped is the same of a log for people, which review is not to take for decisions.
const linesDropped = "lines dropped"

// droppedSchema is the version of that line.
const droppedSchema = 1

// ledger keeps account of what a sink did not take.
type ledger struct {
	sink    Sink
	encoder zapcore.Encoder
	message string // of the line that says what was dropped
	dropped func(int)
	logger  *zap.Logger

	mu        sync.Mutex // guards what follows; nothing is written while it is held, since a sink can hang
	lost      account    // since the last settlement
	reporting account    // what the line says that is being written
}

// account is how many decisions have no record, and from when on until when.
type account struct {
	decisions int
	from, to  time.Time
}

func (a *account) add(b account) {
	switch {
	case b.decisions == 0:
		return
	case a.decisions == 0:
		*a = b
		return
	}
	a.decisions += b.decisions
	if b.from.Before(a.from) { // a held record has the time of the first that it stands for
		a.from = b.from
	}
	if b.to.After(a.to) {
		a.to = b.to
	}
}

func (a *account) fields() []zap.Field {
	return []zap.Field{zap.Int("dropped", a.decisions), zap.Time("from", a.from), zap.Time("to", a.to)}
}

// put writes a record, or counts it.
func (l *ledger) put(r Record) {
	if err := l.sink.Put(r); err != nil {
		l.drop(r, err)
		return
	}
	l.settle()
}

// drop counts a record that could not be written. The first of them is logged.
func (l *ledger) drop(r Record, err error) {
	l.mu.Lock()
	first := l.lost.decisions == 0 && l.reporting.decisions == 0
	l.lost.add(account{r.Count, r.Time, r.Time})
	l.mu.Unlock()
	l.dropped(r.Count)
	if first {
		l.logger.Error("decision records cannot be written; they are dropped and counted until that is possible again", zap.Error(err))
	}
}

// settle writes down how many records were dropped, if any were. What cannot be written stays in the account, and so does what is dropped meanwhile.
func (l *ledger) settle() {
	l.mu.Lock()
	busy := l.reporting.decisions > 0
	if !busy {
		l.reporting, l.lost = l.lost, account{}
	}
	a := l.reporting
	l.mu.Unlock()
	if busy || a.decisions == 0 {
		return
	}
	written := l.writeDropped(a)
	l.mu.Lock()
	if !written {
		l.lost.add(a)
	}
	l.reporting = account{}
	l.mu.Unlock()
	if written {
		l.logger.Warn("decision records can be written again", a.fields()...)
	}
}

// writeDropped writes the line of DroppedMessage, and reports whether the sink took it.
func (l *ledger) writeDropped(a account) bool {
	entry := zapcore.Entry{Level: zapcore.ErrorLevel, Time: time.Now().UTC(), Message: l.message}
	line, err := l.encoder.EncodeEntry(entry, append([]zap.Field{zap.Int("schema", droppedSchema)}, a.fields()...))
	if err != nil {
		return false
	}
	defer line.Free()
	return l.sink.Put(Record{Time: entry.Time, Level: entry.Level, Message: entry.Message, Line: line.Bytes()}) == nil
}

// reportLost tells the guard's own log at the end what the sink could not be told.
func (l *ledger) reportLost() {
	l.mu.Lock()
	a := l.lost
	a.add(l.reporting)
	l.mu.Unlock()
	if a.decisions > 0 {
		l.logger.Error("decision records were dropped, and the log does not say so", a.fields()...)
	}
}
