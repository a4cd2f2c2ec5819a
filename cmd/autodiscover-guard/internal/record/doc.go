// Package record writes decision records where an operator wants them: a file that is rotated, journald, syslog, or a stream.
//
//	sink, err := record.OpenFile("decisions.jsonl", record.Rotation{Size: 100 << 20, Keep: 10}, life)
//	log := record.New(record.Config{Sink: sink, Encoder: encoder, Repeat: record.Rate{Count: 10, Per: time.Second}, Logger: life})
//	decisions := zap.New(log.Core())
//
// # One record, one write
//
// Nothing is buffered on the way to a file: a record is one write(2) of one whole line, so a crash loses none that was written. A line that
// a crash or a full disk left torn is ended before the next record, which is therefore whole; a reader sees one line that is no JSON.
//
// # What cannot be written
//
// An exchange goes on whatever becomes of its record. What a sink refuses (no space, no device, no journald) is dropped and counted. So is, after five
// seconds, what waits for one that hangs; the exchange whose record it has hangs with it. When the sink takes records again, a line with the message
// [DroppedMessage] says how many were dropped, from when to when.
//
// # Repeats
//
// A client in a loop asks the same question hundreds of times a second. Decisions that differ in nothing but time, exchange, duration and
// size are identical; beyond a [Rate] they are not written one by one but held and counted, and at the end of a [Window] one record with the
// key "repeat" stands for all of them. The sum of repeat, or 1 where the key is missing, over all records and dropped ones is always the
// number of decisions. A held record has the time and the exchange of the first that it stands for, and stands behind records that are
// younger. What is held is written at the end of the window, a second, on [Log.Reopen], on [Log.Close], and when there is too much of it; a process
// that is killed loses the windows that were open.
//
// # What it does not do
//
// It knows no policy and decides nothing. It does not tell anybody of what it writes: that is package notify.
package record
