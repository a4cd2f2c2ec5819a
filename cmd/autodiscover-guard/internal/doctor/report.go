package doctor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// reportSchema counts the incompatible changes of a report's JSON.
const reportSchema = 1

// Report is what an examination found. Its JSON is an interface: keys may be added, none is renamed.
type Report struct {
	Schema  int    `json:"schema"`
	Version string `json:"version"` // of the program that examined
	Proxy   string `json:"proxy"`   // URL, without a password
	// Account is the local part of every address that was asked about, and the first label of the made-up domains.
	Account string `json:"account"`
	// Fine is whether nothing failed.
	Fine     bool      `json:"fine"`
	Findings []Finding `json:"findings"`
	Records  Records   `json:"records"`
}

// Records are the decision records that the examination caused.
type Records struct {
	// Count counts them; Known is false where the log could not be read, and Count then is how many there must be.
	Count int  `json:"count"`
	Known bool `json:"known"`
	// Exchanges are their identifiers, in the order of the log.
	Exchanges []string `json:"exchanges"`
}

// add files findings under their check.
func (r *Report) add(k check, found []Finding) {
	for _, f := range found {
		f.Check, f.Group = cmp.Or(f.Check, k.id), k.group
		r.Findings = append(r.Findings, f)
	}
	r.Fine = r.count(Fail) == 0
}

func (r *Report) count(s State) int {
	n := 0
	for _, f := range r.Findings {
		if f.State == s {
			n++
		}
	}
	return n
}

// WriteJSON writes it as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(terminal.Writer(w))
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// Write writes it for people: a line a check, grouped, and then what to do, the failures first.
func (r *Report) Write(w io.Writer) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	group := ""
	for _, f := range r.Findings {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(columns, "%s\n", group)
		}
		subject := f.Check
		if f.Subject != "" {
			subject += " " + f.Subject
		}
		fmt.Fprintf(columns, "  %s\t%s\t%s\n", f.State, terminal.Printable(subject), terminal.Printable(f.What))
	}
	if err := columns.Flush(); err != nil {
		return err
	}
	r.writeAdvice(w)
	fmt.Fprintf(w, "\n%d checks: %d ok, %d warnings, %d wrong, %d skipped. ", len(r.Findings), r.count(OK), r.count(Warning), r.count(Fail), r.count(Skipped))
	if r.Records.Known {
		fmt.Fprintf(w, "They caused %d decision records, as %s.\n", r.Records.Count, r.Account)
	} else {
		fmt.Fprintf(w, "They caused about %d decision records, as %s.\n", r.Records.Count, r.Account)
	}
	return nil
}

// writeAdvice says each thing to do once, with what it is good for.
func (r *Report) writeAdvice(w io.Writer) {
	said, n := map[string]bool{}, 0
	for _, state := range []State{Fail, Warning} {
		for _, f := range r.Findings {
			if f.State != state || f.Do == "" || said[f.Do] {
				continue
			}
			if n++; n == 1 {
				fmt.Fprintf(w, "\nwhat to do\n")
			}
			said[f.Do] = true
			fmt.Fprintf(w, "  %d. %s: %s\n", n, terminal.Printable(strings.TrimSpace(f.Check+" "+f.Subject)), terminal.Printable(f.Do))
		}
	}
}
