package review

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Event is a line that is no decision: a message of the guard's life. Of its keys, those are here that the review looks at; values of
// another type than text are empty.
type Event struct {
	At      int64 // as of Record.At
	Level   string
	Message string
	Host    string
	Client  string
	Reason  string
	Error   string
	Policy  string
	// Outcome is how a handshake ended, in the record of one that failed; Recorded says that a message tells what such a record tells.
	Outcome  string
	Recorded bool
	// Repeat is how many equal records the line stands for; zero means one.
	Repeat int64
	// Dropped is how many records could not be written, where the message tells of that.
	Dropped int64
}

// eventKeys are the keys of Event in a line of JSON.
type eventKeys struct {
	Time     jsontext.Value `json:"time"`
	Level    jsontext.Value `json:"level"`
	Message  jsontext.Value `json:"msg"`
	Host     jsontext.Value `json:"host"`
	Client   jsontext.Value `json:"client"`
	Reason   jsontext.Value `json:"reason"`
	Error    jsontext.Value `json:"error"`
	Policy   jsontext.Value `json:"policy"`
	Dropped  jsontext.Value `json:"dropped"`
	Outcome  jsontext.Value `json:"outcome"`
	Recorded jsontext.Value `json:"recorded"`
	Repeat   jsontext.Value `json:"repeat"`
}

// ParseEvent reads a line of the guard's life: a JSON object, or the form in which it stands on standard error, where time, level, name of the
// logger, message and a JSON object with everything else are separated by two spaces. False means that it is neither.
func ParseEvent(line string) (Event, bool) {
	if strings.HasPrefix(line, "{") {
		return jsonEvent(line)
	}
	head, fields, _ := strings.Cut(line, "  {")
	words := strings.Split(head, "  ")
	if len(words) < 3 || len(words) > 4 {
		return Event{}, false
	}
	at, err := parseTime(words[0])
	if err != nil {
		return Event{}, false
	}
	e := Event{}
	if fields != "" {
		var ok bool
		if e, ok = fieldsOf("{" + fields); !ok {
			return Event{}, false
		}
	}
	e.At, e.Level, e.Message = at, words[1], words[len(words)-1]
	return e, true
}

func jsonEvent(line string) (Event, bool) {
	e, ok := fieldsOf(line)
	if !ok || e.Message == "" {
		return Event{}, false
	}
	return e, true
}

func fieldsOf(object string) (Event, bool) {
	var k eventKeys
	if err := json.Unmarshal([]byte(object), &k); err != nil {
		return Event{}, false
	}
	e := Event{
		Level: textOf(k.Level), Message: textOf(k.Message), Host: textOf(k.Host), Client: textOf(k.Client), Reason: textOf(k.Reason),
		Error: textOf(k.Error), Policy: textOf(k.Policy), Dropped: countOf(k.Dropped),
		Outcome: textOf(k.Outcome), Recorded: k.Recorded.Kind() == 't', Repeat: min(countOf(k.Repeat), maxRepeat),
	}
	e.At, _ = parseTime(textOf(k.Time))
	return e, true
}

func textOf(v jsontext.Value) string {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

func countOf(v jsontext.Value) int64 {
	var n int64
	if v.Kind() != '0' || json.Unmarshal(v, &n) != nil {
		return 0
	}
	return max(n, 0)
}
