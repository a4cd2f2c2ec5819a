package review

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

var (
	//go:embed report.gohtml
	pageText string
	//go:embed plots.gohtml
	plotsText string
	//go:embed plots.css
	plotsStyle string
)

var pageTemplate = template.Must(template.Must(template.New("report").Funcs(template.FuncMap{
	"plotStyle": func() template.CSS { return template.CSS(plotsStyle) }, //nolint:gosec // G203: a file of this program
}).Parse(pageText)).Parse(plotsText))

// page is what the template shows. The plots are geometry: rectangles in percent of the plot's width and height, without any text, so that they fit
// a phone and a sheet of paper alike; words stand beside them in HTML.
type page struct {
	Overview []string
	Sections []pageSection
	Timeline timelinePlot
	Domains  []barRow
	Clients  []barRow
	Dialects []legend
	// Numbers is the table behind Clients, where the page has no section for it.
	Numbers *pageSection
}

type pageSection struct {
	ID, Headline, Note, More string
	Heads                    []string
	Rows                     [][]cell
	Empty                    bool
}

type cell struct {
	Head, Text string
	Number     bool
}

type rectangle struct {
	X, Y, W, H string
	Class      string
}

type legend struct {
	Class, Name string
	Count       string
}

type timelinePlot struct {
	Bars                   []rectangle
	Legend                 []legend
	From, To, Most, Bucket string
	Rows                   [][]string
	Heads                  []string
}

type barRow struct {
	Name, Label string
	Bars        []rectangle
}

// writeHTML writes one file that needs no other: no script, no font, no picture.
func (r *Report) writeHTML(w io.Writer) error {
	p := r.plots()
	p.Overview = r.overview()
	for _, s := range r.Sections {
		p.Sections = append(p.Sections, s.page())
	}
	return pageTemplate.Execute(w, p)
}

// Plots are the report's plots, each with its numbers as a table, for a page of somebody else's: HTML without script, style or picture, to which
// [PlotStyle] belongs. It is empty where there is nothing to plot.
func (r *Report) Plots() (template.HTML, error) {
	p := r.plots()
	for _, s := range r.Sections {
		if s.ID == sectionDialects {
			numbers := s.page()
			p.Numbers = &numbers
		}
	}
	var b strings.Builder
	err := pageTemplate.ExecuteTemplate(&b, "plots", p)
	return template.HTML(b.String()), err //nolint:gosec // G203: what html/template has just written
}

// PlotStyle is the style sheet of Plots. It takes its ink from the page: --ink, --soft, --line and --card.
func PlotStyle() string { return plotsStyle }

func (r *Report) plots() page {
	p := page{Timeline: r.plotTimeline(), Domains: r.plotDomains()}
	p.Clients, p.Dialects = r.plotClients()
	return p
}

func (s *Section) page() pageSection {
	out := pageSection{ID: s.ID, Headline: s.headline(), Note: s.Note, More: s.omitted(), Empty: len(s.Rows) == 0}
	for _, c := range s.Columns {
		out.Heads = append(out.Heads, heading(c))
	}
	for _, row := range s.Rows {
		cells := make([]cell, len(row))
		for i, v := range row {
			cells[i] = cell{heading(s.Columns[i]), cellText(v), isNumber(v)}
		}
		out.Rows = append(out.Rows, cells)
	}
	return out
}

// percent is a share of a plot with the precision that a screen has.
func percent(part, whole int64) string {
	if whole == 0 {
		return "0"
	}
	return fmt.Sprintf("%.3f", 100*float64(part)/float64(whole))
}

// plotTimeline stacks the actions of each bucket; leaks that were not stopped are marked below.
func (r *Report) plotTimeline() timelinePlot {
	t := timelinePlot{Bucket: bucketName(r.width), Heads: []string{"from", "pass", "edit", "refuse", "answer", "other", "not stopped"}}
	if len(r.timeline) == 0 {
		return t
	}
	var most int64
	var totals [len(actionNames) + 1]int64
	for _, b := range r.timeline {
		var sum int64
		for i, n := range b.Actions {
			sum += n
			totals[i] += n
		}
		most = max(most, sum)
	}
	from, width := r.timeline[0].Start, int64(r.width)
	slots := (r.timeline[len(r.timeline)-1].Start-from)/width + 1
	for _, b := range r.timeline {
		x, up := percent((b.Start-from)/width, slots), int64(0)
		wide := percent(850, slots*1000)
		for i, n := range b.Actions {
			if n > 0 {
				up += n
				t.Bars = append(t.Bars, rectangle{x, percent(most-up, most), wide, percent(n, most), className(i)})
			}
		}
		if b.Leaks > 0 {
			t.Bars = append(t.Bars, rectangle{x, "102", wide, "5", "leak"})
		}
		row := []string{Moment(b.Start).String()}
		for _, n := range append(b.Actions[:], b.Leaks) {
			row = append(row, thousands(n))
		}
		t.Rows = append(t.Rows, row)
	}
	for i, n := range totals {
		if n > 0 {
			t.Legend = append(t.Legend, legend{className(i), actionName(i), thousands(n)})
		}
	}
	if r.Leaks > 0 {
		t.Legend = append(t.Legend, legend{"leak", "not stopped", thousands(r.Leaks)})
	}
	t.From, t.To, t.Most = r.First.String(), r.Last.String(), thousands(most)
	return t
}

func actionName(i int) string {
	if i < len(actionNames) {
		return actionNames[i]
	}
	return "other"
}

func className(i int) string { return "c-" + actionName(i) }

func bucketName(d time.Duration) string {
	switch {
	case d == time.Minute:
		return "minute"
	case d < time.Hour:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	case d == time.Hour:
		return "hour"
	case d < 24*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d == 24*time.Hour:
		return "day"
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// plotDomains shows how often each domain was offered strangers.
func (r *Report) plotDomains() []barRow {
	var most int64
	for _, b := range r.domains {
		most = max(most, b.stopped+b.unstopped)
	}
	var rows []barRow
	for _, b := range r.domains {
		row := barRow{Name: terminal.Printable(b.name), Label: thousands(b.stopped) + " stopped"}
		if b.stopped > 0 {
			row.Bars = append(row.Bars, rectangle{"0", "0", percent(b.stopped, most), "100", "c-refuse"})
		}
		if b.unstopped > 0 {
			row.Bars = append(row.Bars, rectangle{percent(b.stopped, most), "0", percent(b.unstopped, most), "100", "leak"})
			row.Label += ", " + thousands(b.unstopped) + " not stopped"
		}
		rows = append(rows, row)
	}
	return rows
}

// maxColours is how many dialects of a plot have a colour of their own; the others share one.
const maxColours = 6

// plotClients shows which dialects each client spoke.
func (r *Report) plotClients() (rows []barRow, colours []legend) {
	totals := map[string]int64{}
	var most int64
	for _, c := range r.byClient {
		most = max(most, c.total)
		for name, n := range c.dialects {
			totals[name] += n
		}
	}
	names := slices.SortedFunc(maps.Keys(totals), func(a, b string) int {
		if totals[a] != totals[b] {
			return int(min(max(totals[b]-totals[a], -1), 1))
		}
		return slices.Compare([]byte(a), []byte(b))
	})
	for i, name := range names {
		if i < maxColours {
			colours = append(colours, legend{fmt.Sprintf("d%d", i), terminal.Printable(name), thousands(totals[name])})
			continue
		}
		if i == maxColours {
			colours = append(colours, legend{"d-others", "others", ""})
		}
	}
	for _, c := range r.byClient {
		row, left := barRow{Name: terminal.Printable(c.name), Label: thousands(c.total)}, int64(0)
		for i, name := range names {
			n := c.dialects[name]
			if n == 0 {
				continue
			}
			class := "d-others"
			if i < maxColours {
				class = fmt.Sprintf("d%d", i)
			}
			row.Bars = append(row.Bars, rectangle{percent(left, most), "0", percent(n, most), "100", class})
			left += n
		}
		rows = append(rows, row)
	}
	return rows, colours
}
