package review

import (
	"errors"
	"strings"
)

// Consumer takes what is read. The strings in what it is given, and the record, are good for the time of the call only: what is kept must be copied.
type Consumer interface {
	Decision(r *Record, line string)
	Event(e *Event, line string)
}

// Log says what was read.
type Log struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"` // as they lie there, compressed or not
	// CutShort are files whose rest could not be read, see [CutShortError].
	CutShort int64 `json:"cut_short"`
	Lines    int64 `json:"lines"`
	// Decisions and Events are lines: a line may stand for several decisions.
	Decisions int64 `json:"decisions"`
	Events    int64 `json:"events"`
	Blank     int64 `json:"blank"`
	// Torn are lines without an end that cannot be read: the last of a file that is being written, or was when its writer died.
	Torn       int64 `json:"torn"`
	TooLong    int64 `json:"too_long"`
	Unreadable int64 `json:"unreadable"`
	// OtherVersions are decision records of a schema that this program does not know, and Version is one of those.
	OtherVersions int64  `json:"other_versions"`
	Version       string `json:"other_version,omitempty"`
}

// Odd is how many lines were not understood; a torn one does not count.
func (l Log) Odd() int64 { return l.TooLong + l.Unreadable + l.OtherVersions }

// classifier tells decisions, events and unreadable lines apart, counts them, and hands them over. It implements sink.
type classifier struct {
	to     Consumer
	log    Log
	record Record
}

func (in *classifier) tooLong() {
	in.log.Lines++
	in.log.TooLong++
}

func (in *classifier) line(text string, torn bool) {
	in.log.Lines++
	if Scan(text, &in.record) {
		in.log.Decisions++
		in.to.Decision(&in.record, text)
		return
	}
	in.classify(text, torn)
}

// classify finds out what a line is that the scanner does not read.
func (in *classifier) classify(text string, torn bool) {
	if strings.TrimSpace(text) == "" {
		in.log.Blank++
		return
	}
	err := Parse(text, &in.record)
	if err == nil {
		in.log.Decisions++
		in.to.Decision(&in.record, text)
		return
	}
	if other, ok := errors.AsType[*VersionError](err); ok {
		in.log.OtherVersions++
		in.log.Version = other.Version
		return
	}
	if errors.Is(err, errNoDecision) || !strings.HasPrefix(text, "{") {
		if e, ok := ParseEvent(text); ok {
			in.log.Events++
			in.to.Event(&e, text)
			return
		}
	}
	if torn {
		in.log.Torn++
	} else {
		in.log.Unreadable++
	}
}
