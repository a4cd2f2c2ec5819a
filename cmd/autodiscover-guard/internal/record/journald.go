package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/coreos/go-systemd/v22/journal"
	"go.uber.org/zap/zapcore"
)

const (
	// Identifier is what journald and syslog know the records by (journalctl -t).
	Identifier = "autodiscover-guard"
	// FieldPrefix is what the names of a record's keys begin with in the journal: AUTODISCOVER_GUARD_ACTION, and
	// AUTODISCOVER_GUARD_UPSTREAM_STATUS for a key inside another.
	FieldPrefix = "AUTODISCOVER_GUARD_"
	// RecordField holds the whole record, as it would stand in a file.
	RecordField = FieldPrefix + "RECORD"
)

// OpenJournald gives a sink that is the journal of systemd, in its own protocol (systemd.io, JOURNAL_NATIVE_PROTOCOL), so that every key of a record
// is a field to search by:
//
//	journalctl -t autodiscover-guard AUTODISCOVER_GUARD_ACTION=refuse
//	journalctl -t autodiscover-guard -o cat --output-fields=AUTODISCOVER_GUARD_RECORD | autodiscover-guard review -
//
// Texts and numbers are fields as they are, lists of words are joined by spaces, and lists of objects are JSON. journald itself drops what comes
// too fast (RateLimitBurst=, by default 10000 messages in 30 s), which nobody here hears of: LogRateLimitIntervalSec=0 in the unit.
// The socket blocks when journald hangs; a [Log] with a queue does not.
func OpenJournald() (Sink, error) {
	if !journal.Enabled() {
		return nil, errors.New("journald does not answer at /run/systemd/journal/socket")
	}
	return &journald{}, nil
}

type journald struct{}

// Put implements [Sink].
func (*journald) Put(r Record) error {
	fields, err := journalFields(r.Line)
	if err != nil {
		return err
	}
	return journal.Send(summary(r, fields), priority(r.Level), fields)
}

// Reopen implements [Sink]: each record is sent to whoever listens then.
func (*journald) Reopen() error { return nil }

// Close implements [Sink].
func (*journald) Close() error { return nil }

// priority is the level in the words of syslog.
func priority(l zapcore.Level) journal.Priority {
	switch l {
	case zapcore.DebugLevel:
		return journal.PriDebug
	case zapcore.InfoLevel:
		return journal.PriInfo
	case zapcore.WarnLevel:
		return journal.PriWarning
	default:
		return journal.PriErr
	}
}

// summary is the line that journalctl shows.
func summary(r Record, fields map[string]string) string {
	field := func(name string) string { return fields[FieldPrefix+name] }
	if outcome := field("OUTCOME"); outcome != "" {
		return r.Message + " " + outcome + " of " + field("CLIENT") + " for " + field("HOST") + ": " + field("REASON") + times(field("REPEAT"))
	}
	if field("ACTION") == "" {
		return r.Message + ": " + field("DROPPED")
	}
	text := field("ACTION")
	if would := field("WOULD"); would != "" {
		text += " (would " + would + ")"
	}
	return text + " " + field("DIALECT") + " of " + field("HOST") + " about " + field("SUBJECTS") + " for " + field("CLIENT") + ": " + field("REASON") + times(field("REPEAT"))
}

// times says how often, where it is more than once.
func times(n string) string {
	if n == "" {
		return ""
	}
	return " (" + n + " times)"
}

// journalFields makes fields of a record's keys.
func journalFields(line []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var record map[string]any
	if err := d.Decode(&record); err != nil {
		return nil, fmt.Errorf("taking a record apart: %w", err)
	}
	fields := map[string]string{"SYSLOG_IDENTIFIER": Identifier, RecordField: string(bytes.TrimSuffix(line, []byte("\n")))}
	for key, value := range record {
		addField(fields, FieldPrefix+fieldName(key), value)
	}
	return fields, nil
}

func addField(fields map[string]string, name string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			addField(fields, name+"_"+fieldName(key), inner)
		}
	case []any:
		fields[name] = joined(v)
	case nil:
		fields[name] = ""
	default:
		fields[name] = fmt.Sprint(v)
	}
}

// joined writes a list: its words, or JSON where it holds anything else.
func joined(list []any) string {
	words := make([]string, 0, len(list))
	for _, v := range list {
		word, ok := v.(string)
		if !ok {
			text, err := json.Marshal(list)
			if err != nil { // what was decoded can be encoded
				return ""
			}
			return string(text)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// fieldName is a key in the letters that the journal allows.
func fieldName(key string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			return c
		}
		return '_'
	}, key)
}
