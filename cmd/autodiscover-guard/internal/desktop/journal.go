package desktop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// journalName is the journal in the state directory.
const journalName = "desktop.json"

// journalSchema is the version of its form. A journal of another version is not guessed at.
const journalSchema = 1

// Stage says how far an entry of the journal has come. The empty stage is invalid.
type Stage string

// The stages.
const (
	// Intended is written before the place is touched: it may hold either value.
	Intended Stage = "intended"
	// Applied: the place was written and read back.
	Applied Stage = "applied"
	// Restored: it was taken back. The entry goes with the journal's next clearing.
	Restored Stage = "restored"
	// Waiting: it has to be taken back when the program that owns the place has ended.
	Waiting Stage = "waiting"
	// Kept: somebody changed it meanwhile, so it was left alone.
	Kept Stage = "kept"
)

// phase says what the whole journal is at.
type phase string

const (
	phaseApplying  phase = "putting in place"
	phaseApplied   phase = "in place"
	phaseRestoring phase = "taking back"
)

// Entry is one place in the journal.
type Entry struct {
	Place  ID       `json:"place"`
	Stage  Stage    `json:"stage"`
	Before Snapshot `json:"before"`
	After  Snapshot `json:"after"`
	// Earlier is what the place held of ours when it was to point elsewhere: it does so until it is written, or a program has filled it anew.
	Earlier *Snapshot `json:"earlier,omitempty"`
}

// ours reports whether a value of a key is one that was put in place.
func (e *Entry) ours(key string, v Value) bool {
	return v == e.After.Values[key] || e.Earlier != nil && v == e.Earlier.Values[key]
}

// withGiven has keys that hold what was put in place hold it, where somebody has given just that to the whole computer meanwhile. They count as not set, which nobody can
// tell from it: what is not taken back then would stay for good.
func (e *Entry) withGiven(now Snapshot) Snapshot {
	now.Values = maps.Clone(now.Values)
	for k, given := range now.Unset {
		if given.Set && !now.Values[k].Set && e.ours(k, given) {
			now.Values[k] = given
		}
	}
	return now
}

// oursWhole reports whether a file is, byte for byte, one that was put in place.
func (e *Entry) oursWhole(f *File) bool {
	return f != nil && (f.equal(e.After.File) || e.Earlier != nil && f.equal(e.Earlier.File))
}

// journal is what has to be known to take everything back.
type journal struct {
	Schema int    `json:"schema"`
	Phase  phase  `json:"phase"`
	Target Target `json:"target"`
	// Session is set where the settings are to go when the guard that put them in place ends.
	Session bool    `json:"session"`
	Entries []Entry `json:"entries"`
}

// interrupted reports whether something is left over: a step was not finished, or the guard that was to take its settings back is gone.
func (j *journal) interrupted(guardRuns bool) bool {
	return j.Phase != phaseApplied || j.Session && !guardRuns
}

// persistent reports whether settings were put in place to stay.
func (j *journal) persistent() bool {
	return !j.Session && j.Phase == phaseApplied && slices.ContainsFunc(j.Entries, func(e Entry) bool { return e.Stage == Applied })
}

func (j *journal) entry(id ID) *Entry {
	if i := slices.IndexFunc(j.Entries, func(e Entry) bool { return e.Place == id }); i >= 0 {
		return &j.Entries[i]
	}
	return nil
}

// put adds an entry, or replaces that of the same place.
func (j *journal) put(e Entry) {
	if old := j.entry(e.Place); old != nil {
		*old = e
		return
	}
	j.Entries = append(j.Entries, e)
}

func (j *journal) drop(id ID) {
	j.Entries = slices.DeleteFunc(j.Entries, func(e Entry) bool { return e.Place == id })
}

func journalPath(dir string) string { return filepath.Join(dir, journalName) }

// loadJournal reads the journal; without one it is empty.
func loadJournal(dir string) (*journal, error) {
	name := journalPath(dir)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &journal{Schema: journalSchema, Phase: phaseApplied}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the journal of settings: %w", err)
	}
	var j journal
	if err := json.Unmarshal(data, &struct{ Schema *int }{&j.Schema}); err == nil && j.Schema != journalSchema { // first: another one has other keys
		return nil, fmt.Errorf("reading the journal of settings %q: its schema is %d, this program knows %d: "+
			"take the settings back with the version that has put them in place", name, j.Schema, journalSchema)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return nil, fmt.Errorf("reading the journal of settings %q: %w", name, err)
	}
	return &j, nil
}

// save puts the journal on the disk, or removes it where it has nothing left to say.
func (j *journal) save(dir string, d disk) error {
	name := journalPath(dir)
	j.Entries = slices.DeleteFunc(j.Entries, func(e Entry) bool { return e.Stage == Restored && j.Phase == phaseApplied })
	if len(j.Entries) == 0 {
		if err := d.remove(name); err != nil {
			return fmt.Errorf("removing the journal of settings: %w", err)
		}
		return nil
	}
	data, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the journal of settings: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("writing the journal of settings: %w", err)
	}
	if err := d.replace(name, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the journal of settings: %w", err)
	}
	return nil
}
