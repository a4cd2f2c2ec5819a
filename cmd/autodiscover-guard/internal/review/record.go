package review

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The message and the version of the records that this package reads; package intercept writes them.
const (
	recordMessage = "decision"
	recordSchema  = 1
)

// Record is a decision record, as its JSON Schema (intercept.EventJSONSchema) documents it.
type Record struct {
	Level       string       `json:"level"`
	Time        string       `json:"time"`
	Message     string       `json:"msg"`
	Schema      int64        `json:"schema"`
	Exchange    string       `json:"exchange"`
	Mode        string       `json:"mode"`
	Action      string       `json:"action"`
	Would       string       `json:"would"`
	Rule        string       `json:"rule"`
	Reason      string       `json:"reason"`
	Client      string       `json:"client"`
	Door        string       `json:"door"`
	Host        string       `json:"host"`
	Method      string       `json:"method"`
	Path        string       `json:"path"`
	Status      int64        `json:"status"`
	Dialect     string       `json:"dialect"`
	Subjects    []string     `json:"subjects"`
	Accounts    []string     `json:"accounts"`
	ReservedBy  string       `json:"reserved_by"`
	Credentials Credentials  `json:"credentials"`
	Suggestions []Suggestion `json:"suggestions"`
	Strangers   []string     `json:"strangers,omitempty"`
	Upstream    Upstream     `json:"upstream"`
	BytesIn     int64        `json:"bytes_in"`
	BytesOut    int64        `json:"bytes_out"`
	TookMS      int64        `json:"took_ms"`
	Policy      string       `json:"policy"`
	Authority   string       `json:"authority,omitempty"`
	// Repeat is how many equal decisions the line stands for; zero, where the key is missing, means one.
	Repeat int64 `json:"repeat,omitempty"`

	// Named says that the record names its strangers, be it none: guards before the key existed did not. Parse and Scan set it.
	Named bool `json:"-"`
	// At is Time as a Unix time in nanoseconds. Parse and Scan set it.
	At int64 `json:"-"`
}

// Credentials is what secrets a request carried.
type Credentials struct {
	Present   bool   `json:"present"`
	Scheme    string `json:"scheme"`
	Forwarded bool   `json:"forwarded"`
}

// Suggestion is one thing in an answer that a client would obey.
type Suggestion struct {
	Path     string `json:"path"`
	Kind     string `json:"kind"`
	Protocol string `json:"protocol"`
	Was      string `json:"was"`
	Now      string `json:"now"`
	Verdict  string `json:"verdict"`
	Would    string `json:"would,omitempty"`
}

// Upstream is the far side of an exchange.
type Upstream struct {
	Asked  bool   `json:"asked"`
	Status int64  `json:"status"`
	Error  string `json:"error"`
	Check  string `json:"check,omitempty"`
}

// maxRepeat is the most that one line may stand for. More is no count that a guard made.
const maxRepeat = 1 << 31

// Times is how many decisions the record stands for.
func (r *Record) Times() int64 { return max(r.Repeat, 1) }

// reset empties a record and keeps the memory of its lists.
func (r *Record) reset() {
	*r = Record{Subjects: r.Subjects[:0], Accounts: r.Accounts[:0], Suggestions: r.Suggestions[:0], Strangers: r.Strangers[:0]}
}

// errNoDecision says that a line is a JSON object, and not a decision record of this version.
var errNoDecision = errors.New("not a decision record")

// VersionError says that a decision record is of a version that this program does not know.
type VersionError struct{ Version string }

// Error implements error.
func (e *VersionError) Error() string {
	return fmt.Sprintf("decision record of schema %s; this program reads %d", e.Version, recordSchema)
}

// head is what tells a decision record from everything else. Other lines may use the same keys for values of any type.
type head struct {
	Message jsontext.Value `json:"msg"`
	Schema  jsontext.Value `json:"schema"`
}

// Parse reads a decision record with a full JSON parser: duplicate keys, invalid UTF-8 and values of the wrong type are errors, keys that it does
// not know are ignored. For a JSON object that is no decision record the error is errNoDecision or a *VersionError.
func Parse(line string, r *Record) error {
	var h head
	text := []byte(line)
	if err := json.Unmarshal(text, &h); err != nil {
		return err
	}
	if string(h.Message) != `"`+recordMessage+`"` {
		return errNoDecision
	}
	if version := string(h.Schema); version != "1" {
		return &VersionError{clip(version)}
	}
	r.reset()
	r.Strangers = nil
	if err := json.Unmarshal(text, r); err != nil {
		return err
	}
	r.Named = r.Strangers != nil
	return r.date()
}

// date sets At. Times that Unix nanoseconds cannot hold are errors.
func (r *Record) date() error {
	at, err := parseTime(r.Time)
	if err != nil {
		return err
	}
	if r.Repeat < 0 || r.Repeat > maxRepeat {
		return fmt.Errorf("a record cannot stand for %d decisions", r.Repeat)
	}
	r.At = at
	return nil
}

func parseTime(text string) (int64, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, errors.New("its time is not in the form of RFC 3339")
	}
	return unixTime(t)
}

// unixTime is in nanoseconds, which hold no other years: of those they would be some time, and not that one.
func unixTime(t time.Time) (int64, error) {
	if y := t.Year(); y < 1970 || y > 2200 {
		return 0, errors.New("its time is not between the years 1970 and 2200")
	}
	return t.UnixNano(), nil
}

// maxText bounds what is kept of a text from outside; the guard's own records are shorter.
const maxText = 256

func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}
