package review

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Section is one finding of a report: a table that every format can show. Values in Rows are string, int64, Moment, Count or Clients.
type Section struct {
	// ID is the section's name in machine-readable formats: a contract. So are Columns.
	ID string
	// Title says in words what it lists, Note what should be known to read it.
	Title, Note string
	// Total is what the section is about, in Unit: it may be more than the rows show.
	Total   int64
	Unit    string
	Columns []string
	Rows    [][]any
	// Omitted is how many rows were left out, and OmittedCount how much they stand for.
	Omitted, OmittedCount int64
}

// Moment is a Unix time in nanoseconds; zero is unknown.
type Moment int64

// String is for people: to the second.
func (m Moment) String() string {
	if m == 0 {
		return ""
	}
	return time.Unix(0, int64(m)).UTC().Format("2006-01-02 15:04:05Z")
}

// exact is for programs.
func (m Moment) exact() string {
	if m == 0 {
		return ""
	}
	return time.Unix(0, int64(m)).UTC().Format(time.RFC3339Nano)
}

// Count is a number that may be too small (Entry.AtLeast).
type Count struct {
	N       int64
	AtLeast bool
}

// String implements fmt.Stringer.
func (c Count) String() string {
	if c.AtLeast {
		return "≥ " + thousands(c.N)
	}
	return thousands(c.N)
}

// Clients are addresses, and whether there were more.
type Clients struct {
	Names []string
	More  bool
}

// String implements fmt.Stringer.
func (c Clients) String() string {
	text := strings.Join(c.Names, ", ")
	if c.More {
		text += " and others"
	}
	return text
}

// first are n of them at most.
func (c Clients) first(n int) Clients {
	if len(c.Names) <= n {
		return c
	}
	return Clients{c.Names[:n], true}
}

// thousands groups the digits of a number.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// counted is a number of things, one or several.
func counted(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(n) + " " + thing + "s"
}

// text is a value for people.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return thousands(v)
	case fmt.Stringer:
		return v.String()
	}
	return ""
}

// isNumber reports whether a value is written to the right.
func isNumber(v any) bool {
	switch v.(type) {
	case int64, Count:
		return true
	}
	return false
}

// heading is a column's name for people.
func heading(column string) string { return strings.ReplaceAll(column, "_", " ") }

// headline says what a section is about in one line.
func (s *Section) headline() string {
	switch {
	case len(s.Rows) == 0 && s.Total == 0:
		return s.Title + ": none"
	case s.Unit == "":
		return s.Title
	}
	return fmt.Sprintf("%s (%s): %s", s.Title, s.Unit, thousands(s.Total))
}

// omitted says what is not shown, empty where everything is.
func (s *Section) omitted() string {
	if s.Omitted == 0 {
		return ""
	}
	return fmt.Sprintf("and %s more, which stand for %s", thousands(s.Omitted), thousands(s.OmittedCount))
}

// MarshalJSONTo implements json.MarshalerTo: a row is an object whose keys are the columns.
func (s *Section) MarshalJSONTo(e *jsontext.Encoder) error {
	w := tokens{e: e}
	w.put(jsontext.BeginObject, jsontext.String("total"), jsontext.Int(s.Total), jsontext.String("rows"), jsontext.BeginArray)
	for _, row := range s.Rows {
		w.put(jsontext.BeginObject)
		for i, v := range row {
			w.put(jsontext.String(s.Columns[i]))
			w.value(v)
		}
		w.put(jsontext.EndObject)
	}
	w.put(jsontext.EndArray, jsontext.String("omitted"), jsontext.Int(s.Omitted), jsontext.String("omitted_count"), jsontext.Int(s.OmittedCount), jsontext.EndObject)
	return w.err
}

// tokens writes JSON and keeps the first error.
type tokens struct {
	e   *jsontext.Encoder
	err error
}

func (w *tokens) put(all ...jsontext.Token) {
	for _, t := range all {
		if w.err == nil {
			w.err = w.e.WriteToken(t)
		}
	}
}

func (w *tokens) value(v any) {
	switch v := v.(type) {
	case string:
		w.put(jsontext.String(strings.ToValidUTF8(v, "\uFFFD")))
	case int64:
		w.put(jsontext.Int(v))
	case Moment:
		w.put(jsontext.String(v.exact()))
	case Count:
		w.put(jsontext.Int(v.N))
		if v.AtLeast {
			w.put(jsontext.String("at_least"), jsontext.True)
		}
	case Clients:
		if w.err == nil {
			w.err = json.MarshalEncode(w.e, append([]string{}, v.Names...))
		}
		if v.More {
			w.put(jsontext.String("more_clients"), jsontext.True)
		}
	}
}
