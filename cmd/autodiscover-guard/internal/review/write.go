package review

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// Format is how a report is written.
type Format string

// The formats. Table is for terminals, the others for programs, pages and spreadsheets.
const (
	FormatTable    Format = "table"
	FormatJSON     Format = "json"
	FormatMarkdown Format = "md"
	FormatHTML     Format = "html"
	FormatCSV      Format = "csv"
)

// shownClients keeps a table within the width of a screen; the other formats have all that are known.
const shownClients = 2

// Formats lists them.
func Formats() []Format {
	return []Format{FormatTable, FormatJSON, FormatMarkdown, FormatHTML, FormatCSV}
}

// Write writes the report.
func (r *Report) Write(w io.Writer, f Format) error {
	switch f {
	case FormatTable:
		return r.writeTable(w)
	case FormatJSON:
		return r.writeJSON(w)
	case FormatMarkdown:
		return r.writeMarkdown(w)
	case FormatHTML:
		return r.writeHTML(w)
	case FormatCSV:
		return r.writeCSV(w)
	default: // those of Converter are not for reports
		return fmt.Errorf("a report cannot be written as %q", f)
	}
}

// overview is what a report begins with.
func (r *Report) overview() []string {
	verb := "do"
	if r.Others == 1 {
		verb = "does"
	}
	if r.Decisions == 0 && r.Others > 0 {
		return []string{fmt.Sprintf("No decision fits the filter; %s %s not.", thousands(r.Others), verb)}
	}
	if r.Decisions == 0 {
		return []string{fmt.Sprintf("No decision in %s of %s.", counted(r.Log.Lines, "line"), counted(int64(r.Log.Files), "file"))}
	}
	a := r.Actions
	lines := []string{
		fmt.Sprintf("%s from %s to %s", counted(r.Decisions, "decision"), r.First, r.Last),
		fmt.Sprintf("pass %s, edit %s, refuse %s, answer %s", thousands(a.Pass), thousands(a.Edit), thousands(a.Refuse), thousands(a.Answer)),
	}
	if a.Other > 0 {
		lines[1] += ", other " + thousands(a.Other)
	}
	if r.Monitored > 0 {
		lines = append(lines, fmt.Sprintf("%s passed because their rule only monitors", thousands(r.Monitored)))
	}
	if r.Others > 0 {
		lines = append(lines, thousands(r.Others)+" "+verb+" not fit the filter")
	}
	return lines
}

func (r *Report) writeTable(w io.Writer) error {
	var b strings.Builder
	for _, line := range r.overview() {
		b.WriteString(line + "\n")
	}
	for _, s := range r.Sections {
		b.WriteString("\n" + s.headline() + "\n")
		if s.Note != "" {
			b.WriteString("  " + s.Note + "\n")
		}
		if len(s.Rows) > 0 {
			s.writeColumns(&b)
		}
		if more := s.omitted(); more != "" {
			b.WriteString("  " + more + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeColumns aligns columns, numbers to the right. Not with text/tabwriter: a cell that comes from outside must not be able to move others.
func (s *Section) writeColumns(b *strings.Builder) {
	widths := make([]int, len(s.Columns))
	lines := make([][]string, 0, len(s.Rows)+1)
	head := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		head[i] = strings.ToUpper(heading(c))
	}
	lines = append(lines, head)
	for _, row := range s.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			if c, ok := v.(Clients); ok {
				v = c.first(shownClients)
			}
			cells[i] = cellText(v)
		}
		lines = append(lines, cells)
	}
	for _, cells := range lines {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, cells := range lines {
		var line strings.Builder
		for i, cell := range cells {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if isNumber(s.Rows[0][i]) {
				line.WriteString("  " + pad + cell)
			} else {
				line.WriteString("  " + cell + pad)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// cellText is a value in a cell: what is empty shows that it is.
func cellText(v any) string {
	if t := terminal.Printable(text(v)); t != "" {
		return t
	}
	return "–"
}

func (r *Report) writeMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Review of discovery decisions\n\n")
	for _, line := range r.overview() {
		b.WriteString("* " + escapeMarkdown(line) + "\n")
	}
	for _, s := range r.Sections {
		b.WriteString("\n## " + escapeMarkdown(s.headline()) + "\n")
		if s.Note != "" {
			b.WriteString("\n" + escapeMarkdown(s.Note) + "\n")
		}
		if len(s.Rows) > 0 {
			s.writeMarkdownTable(&b)
		}
		if more := s.omitted(); more != "" {
			b.WriteString("\n" + more + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Section) writeMarkdownTable(b *strings.Builder) {
	b.WriteString("\n|")
	for _, c := range s.Columns {
		b.WriteString(" " + heading(c) + " |")
	}
	b.WriteString("\n|")
	for i := range s.Columns {
		if isNumber(s.Rows[0][i]) {
			b.WriteString("--:|")
		} else {
			b.WriteString("---|")
		}
	}
	b.WriteString("\n")
	for _, row := range s.Rows {
		b.WriteString("|")
		for _, v := range row {
			b.WriteString(" " + escapeMarkdown(cellText(v)) + " |")
		}
		b.WriteString("\n")
	}
}

// writeCSV writes all sections as one table (RFC 4180): section, row, column, value. Whoever wants one section filters by the first column.
func (r *Report) writeCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	if err := c.Write([]string{"section", "row", "column", "value"}); err != nil {
		return err
	}
	for _, s := range r.Sections {
		for i, row := range s.Rows {
			for j, v := range row {
				if err := c.Write([]string{s.ID, strconv.Itoa(i + 1), s.Columns[j], plain(v)}); err != nil {
					return err
				}
			}
		}
	}
	c.Flush()
	return c.Error()
}

// plain is a value for spreadsheets: numbers without groups, times exact.
func plain(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case Count:
		return strconv.FormatInt(v.N, 10)
	case Moment:
		return v.exact()
	}
	return escapeFormula(terminal.Printable(text(v)))
}

func (r *Report) writeJSON(w io.Writer) error {
	sections := make(map[string]*Section, len(r.Sections))
	for _, s := range r.Sections {
		sections[s.ID] = s
	}
	type bucket struct {
		Start   string           `json:"start"`
		Actions map[string]int64 `json:"actions"`
		Leaks   int64            `json:"not_stopped"`
	}
	timeline := []bucket{}
	for _, b := range r.timeline {
		named := map[string]int64{"other": b.Actions[len(actionNames)]}
		for i, name := range actionNames {
			named[name] = b.Actions[i]
		}
		timeline = append(timeline, bucket{Moment(b.Start).exact(), named, b.Leaks})
	}
	document := struct {
		*Report
		FirstText string              `json:"first"`
		LastText  string              `json:"last"`
		SinceText string              `json:"since"`
		UntilText string              `json:"until"`
		Sections  map[string]*Section `json:"sections"`
		Width     int64               `json:"timeline_seconds"`
		Timeline  []bucket            `json:"timeline"`
	}{r, r.First.exact(), r.Last.exact(), r.Since.exact(), r.Until.exact(), sections, int64(r.width.Seconds()), timeline}
	out, err := json.Marshal(document, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	_, err = w.Write(terminal.Escape(append(out, '\n')))
	return err
}
