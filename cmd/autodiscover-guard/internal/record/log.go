package record

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Config is what a [Log] is made of.
type Config struct {
	// Sink takes the records. The Log closes it.
	Sink Sink
	// Encoder is the form of a record. Its line ending must be a newline.
	Encoder zapcore.EncoderConfig
	// Console makes it lines for people, and not JSON: for a log that is no log of decisions.
	Console bool
	// Repeat is beyond what identical decisions are counted and not written one by one; zero writes each.
	Repeat Rate
	// Queue is how many records may wait for a sink that can block, such as a socket; more are dropped. With 0, who decides writes to the sink, and so
	// hangs where it hangs; of the others nobody waits for more than 5 s, and they have no record.
	Queue int
	// Dropped is called with the number of decisions whose record could not be written; nil for nobody.
	Dropped func(decisions int)
	// Shown is shown each record before the sink is, whatever becomes of it there; nil for nobody. The line is its for the time of the call only,
	// exchanges wait for it, and several may call at once.
	Shown func(Record)
	// Logger hears of records that cannot be written, and of the end of that. It must not lead to Sink. nil is nobody.
	Logger *zap.Logger
}

// Log is the way of decision records from a zap.Logger to a sink. It is safe for concurrent use.
type Log struct {
	ledger     *ledger
	delivery   delivery
	repeats    *repeats // nil where every record is written
	identifier *identifier
	core       *core
	shown      func(Record) // nil for nobody
}

// delivery is how records get to the sink: by a queue, or a directWriter.
type delivery interface {
	put(r Record)
	reopen() error
	// close reports whether the sink has everything that it was to get; where not, it hangs, and nobody is to ask it for anything any more.
	close() bool
}

// New makes a log. [Log.Close] ends it.
func New(c Config) *Log {
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Dropped == nil {
		c.Dropped = func(int) {}
	}
	full, message := zapcore.NewJSONEncoder(c.Encoder), DroppedMessage
	if c.Console {
		full, message = zapcore.NewConsoleEncoder(c.Encoder), linesDropped
	}
	l := &Log{ledger: &ledger{sink: c.Sink, encoder: full, message: message, dropped: c.Dropped, logger: c.Logger}, identifier: newIdentifier(), shown: c.Shown}
	if c.Queue > 0 {
		l.delivery = newQueue(c.Queue, l.ledger)
	} else {
		l.delivery = newDirectWriter(l.ledger)
	}
	if c.Repeat.positive() {
		l.repeats = newRepeats(c.Repeat, l.put)
	}
	l.core = &core{log: l, full: full, same: zapcore.NewJSONEncoder(identityConfig(c.Encoder))}
	return l
}

// put sends a record on its way.
func (l *Log) put(r Record) {
	if l.shown != nil {
		l.shown(r)
	}
	l.delivery.put(r)
}

// Core is what a zap.Logger writes decision records to. It takes every level.
func (l *Log) Core() zapcore.Core { return l.core }

// Flush writes what is held.
func (l *Log) Flush() {
	if l.repeats != nil {
		l.repeats.flush()
	}
}

// Reopen writes what is held into the old file, and has the sink take up the new one.
func (l *Log) Reopen() error {
	l.Flush()
	return l.delivery.reopen()
}

// Close writes what is held, says what was dropped, and closes the sink, unless that hangs. Records that come later are counted as dropped.
func (l *Log) Close() error {
	if l.repeats != nil {
		l.repeats.close()
	}
	if !l.delivery.close() {
		l.ledger.reportLost()
		return errHangs
	}
	l.ledger.settle()
	l.ledger.reportLost()
	return l.ledger.sink.Close()
}
