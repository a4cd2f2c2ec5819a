package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"runtime"
	"slices"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
	"autodiscover-guard/intercept"
)

// records is the log of decisions from where it stood when the examination began.
type records struct {
	path   string
	file   os.FileInfo // nil where there was none
	offset int64
	err    error // why it cannot be read
	text   string
	// former is file held open, so that what was written to it is read wherever it goes, and when it is gone; nil on Windows, where nobody could move it then.
	former *os.File
	// rotated says that another file is in its place, or that it was cut off: some of our records may be in none that we see.
	rotated bool
	// missed says that what came before that is not seen.
	missed bool
}

// decision is what we look at in a decision record.
type decision struct {
	Message   string    `json:"msg"`
	Time      time.Time `json:"time"`
	Exchange  string    `json:"exchange"`
	Action    string    `json:"action"`
	Client    string    `json:"client"`
	Host      string    `json:"host"`
	Subjects  []string  `json:"subjects"`
	Strangers []string  `json:"strangers"`
	Upstream  struct {
		Asked bool   `json:"asked"`
		Error string `json:"error"`
		Check string `json:"check"`
	} `json:"upstream"`
	Suggestions []suggestion `json:"suggestions"`
	// Repeat is for how many exchanges it stands; zero is one.
	Repeat int `json:"repeat"`
}

// suggestion is what we look at in one of a record's suggestions.
type suggestion struct {
	Verdict string `json:"verdict"`
}

// logWait is how long a record may take to be in the file: each is written at once, unless it is one of many that are alike and is held.
const logWait = record.Window + 2*time.Second

func (e *examination) openRecords() *records {
	r := &records{}
	if !e.Local {
		r.err = errors.New("the guard's log is not on this computer, or the guard does not run")
		return r
	}
	if !e.Settings.DecisionsInFile() {
		r.err = fmt.Errorf("decisions go to %s, not into a file", e.Settings.Log.Sink)
		return r
	}
	if r.path, r.err = e.Settings.DecisionsFile(); r.err != nil {
		return r
	}
	info, err := os.Stat(r.path)
	switch {
	case err == nil:
		_ = os.SameFile(info, info) // Windows is asked which file it is when that is first compared, and then for what has the name by then
		r.file, r.offset = info, info.Size()
		if runtime.GOOS != "windows" && info.Mode().IsRegular() {
			r.former, r.err = os.Open(r.path)
		}
	case !os.IsNotExist(err): // the first record makes it
		r.err = err
	}
	return r
}

func (r *records) readable() bool { return r.err == nil && r.path != "" }

// close ends the reading.
func (r *records) close() {
	if r.former != nil {
		_ = r.former.Close()
	}
}

// read takes what has come since.
func (r *records) read() {
	begin, end, there := r.offset, "", fs.FileInfo(nil)
	f, err := os.Open(r.path)
	if err == nil {
		defer f.Close()
		there, r.err = f.Stat()
	} else if r.err = err; os.IsNotExist(err) { // nothing has been written yet, or since it was moved away
		r.err = nil
	}
	if r.err != nil {
		return
	}
	moved := r.file != nil && (there == nil || !os.SameFile(r.file, there))
	cut := !moved && there != nil && there.Size() < begin
	if moved || cut {
		begin = 0
	}
	r.rotated, r.missed = moved || cut, cut || moved && r.former == nil
	if moved && r.former != nil {
		end, r.err = readFrom(r.former, r.offset)
	}
	if there != nil && r.err == nil {
		var text string
		text, r.err = readFrom(f, begin)
		end += text
	}
	r.text = end
}

// readFrom reads a file from a place on.
func readFrom(f *os.File, begin int64) (string, error) {
	text, err := io.ReadAll(io.NewSectionReader(f, begin, math.MaxInt64-begin))
	return string(text), err
}

// ours picks the records of our exchanges.
func (r *records) ours(e *examination) (all []decision, count int) {
	for line := range bytes.Lines([]byte(r.text)) {
		var d decision
		if json.Unmarshal(line, &d) != nil || d.Message != intercept.EventMessage || d.Client != e.client.String() ||
			d.Time.Before(e.begun.Add(-time.Second)) || !slices.ContainsFunc(d.Subjects, e.isOurSubject) {
			continue
		}
		all = append(all, d)
		count += max(d.Repeat, 1)
	}
	return all, count
}

// recorded waits for the records of all our exchanges.
func (e *examination) recorded(ctx context.Context) []Finding {
	want := e.answeredCount()
	if !e.log.readable() {
		return []Finding{skipped("", e.log.err.Error())}
	}
	have := 0
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(logWait); ; {
		if e.log.read(); e.log.err != nil {
			return []Finding{skipped(e.log.path, "cannot be read: "+rootCause(e.log.err))}
		}
		e.mine, have = e.log.ours(e)
		if have >= want || time.Now().After(deadline) || ctx.Err() != nil {
			break
		}
		<-tick.C
	}
	if have >= want {
		return []Finding{ok(e.log.path, fmt.Sprintf("grows: a record for each of our %d exchanges", want))}
	}
	if e.log.rotated {
		return []Finding{skipped(e.log.path, fmt.Sprintf("was rotated meanwhile, with some of the records of our %d exchanges", want))}
	}
	const lost = "see whether its disk is full or its directory cannot be written; the guard says so on its standard error, and counts in autodiscover_guard_log_dropped_total"
	if e.log.offset == 0 { // it was begun just now, or there was none
		return []Finding{fail(e.log.path, fmt.Sprintf("%d records here, and %d exchanges", have, want),
			"where the file was moved or replaced, the others are in the former one, until the guard opens the log anew (SIGHUP, or a later record): examine once more; or "+lost)}
	}
	return []Finding{fail(e.log.path, fmt.Sprintf("%d records, and %d exchanges: the log loses decisions", have, want), lost)}
}

// counted is what the report says of them.
func (e *examination) counted() Records {
	r := Records{Exchanges: []string{}, Count: len(e.mine), Known: e.reached && e.log.readable()}
	for _, d := range e.mine {
		r.Exchanges = append(r.Exchanges, d.Exchange)
	}
	if !r.Known {
		r.Count = e.answeredCount()
	}
	return r
}
