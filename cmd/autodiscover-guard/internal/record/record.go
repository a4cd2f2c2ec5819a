package record

import (
	"time"

	"go.uber.org/zap/zapcore"
)

// Record is one encoded record on its way to a sink.
type Record struct {
	Time  time.Time
	Level zapcore.Level
	// Message is the record's message: "decision", or [DroppedMessage].
	Message string
	// Line is the whole record, a JSON object and a newline. It is the sink's for the time of Put only.
	Line []byte
	// Count is how many decisions the record stands for; 0 for a record that is none.
	Count int
}

// Sink takes records, one at a time or from several goroutines at once.
type Sink interface {
	// Put writes a record. An error means that it is not there, or not whole.
	Put(r Record) error
	// Reopen takes up what has been put in the sink's place: a new file after the old one was moved away.
	Reopen() error
	// Close ends the sink. Put returns an error afterwards.
	Close() error
}
