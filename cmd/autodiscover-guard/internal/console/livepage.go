package console

import (
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"time"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// Health is what the page tells of the guard beyond its Status.
type Health struct {
	// Doors are the listeners, by what they are called.
	Doors []Door
	// Log says where decision records go.
	Log string
	// RootUntil is when the root's certificate ends.
	RootUntil time.Time
	// Warnings are the authority's, the most pressing first.
	Warnings []certs.Warning
}

// Door is a listener.
type Door struct{ Name, Address string }

var (
	//go:embed live.html
	liveHTML string
	//go:embed live.css
	liveCSS string
	//go:embed live.js
	liveJS string
)

var liveTemplate = template.Must(template.New("live.html").Parse(liveHTML))

// maxRows is how many decisions one page has; older ones are on the next.
const maxRows = 100

// livePage is what live.html shows.
type livePage struct {
	Style    template.CSS
	Script   template.JS
	State    state
	Query    query
	Filtered bool
	Choices  []choice
	Count    string
	None     string
	Rows     []row
	// Live says that the page is the latest one, which new decisions join. Newest is the last that it knows.
	Live                bool
	Newest, Events      string
	Reload, JSON, Older string
	Plots               template.HTML
	// SignedIn offers to sign out.
	SignedIn bool
}

// choice is a field of the form with a list of values.
type choice struct {
	Label, Name, Now string
	Values           []string
}

// state is the section about the guard itself.
type state struct {
	Status
	Health
	Dropped                           uint64
	Reloaded, RootUntil, IssuingUntil string
}

func (c *Config) state() state {
	s := state{Status: c.Status(), Health: c.Health(), Dropped: c.Metrics.GetOrCreateCounter(droppedTotal).Get()}
	s.RootUntil, s.IssuingUntil = s.Health.RootUntil.UTC().Format(time.DateOnly), s.Status.IssuingUntil.UTC().Format(time.DateOnly)
	if !s.ReloadedAt.IsZero() {
		s.Reloaded = s.ReloadedAt.UTC().Format("2006-01-02 15:04:05Z")
	}
	return s
}

// live shows the latest decisions and the state of the guard. It works without its script, which adds what comes later.
func live(c Config) http.HandlerFunc {
	style := baseCSS + review.PlotStyle() + liveCSS
	policy := contentPolicy(style, liveJS, true)
	return func(w http.ResponseWriter, r *http.Request) {
		p, err := c.look(r)
		if err != nil {
			sendText(w, http.StatusInternalServerError, "the page cannot be written")
			return
		}
		p.Style, p.Script = template.CSS(style), template.JS(liveJS) //nolint:gosec // G203: files of this program
		sendPage(w, http.StatusOK, policy, liveTemplate, p)
	}
}

// look reads what the ring has and counts what is asked for.
func (c *Config) look(r *http.Request) (*livePage, error) {
	q := readQuery(r)
	all, _ := c.Recent.after(0)
	p := &livePage{State: c.state(), Query: q, Filtered: !q.empty(), Reload: "/?" + q.encode(), JSON: "/decisions.json?" + q.encode(), Events: q.encode(), SignedIn: c.Access.session(r) != nil}
	before, older := c.Recent.numbered(r.URL.Query().Get("before"))
	p.Live, p.Newest = !older, c.Recent.name(0)
	if len(all) > 0 {
		p.Newest = c.Recent.name(all[len(all)-1].number)
	}
	summary := review.NewSummary(q.filter)
	dialects, rules := map[string]bool{}, map[string]bool{}
	fitting := 0
	for _, k := range slices.Backward(all) {
		var rec review.Record
		if !parse(k.line, &rec) {
			continue
		}
		dialects[rec.Dialect], rules[rec.Rule] = true, true
		if !q.fits(&rec) {
			continue
		}
		fitting++
		summary.Decision(&rec, "")
		switch {
		case older && k.number >= before:
		case len(p.Rows) < maxRows:
			p.Rows = append(p.Rows, newRow(c.Recent.name(k.number), &rec))
		case p.Older == "":
			p.Older = "/?" + q.encode("before", p.Rows[maxRows-1].Name)
		}
	}
	p.Choices = []choice{{"Action", "action", q.Action, actions}, options("Dialect", "dialect", q.Dialect, dialects), options("Rule", "rule", q.Rule, rules)}
	p.Count = fmt.Sprintf("Of the latest records (%[2]d), %[1]d fit the filter.", fitting, len(all))
	if !p.Filtered {
		p.Count = fmt.Sprintf("Latest records: %d, of %d at most; the log has all.", len(all), maxRecords)
	}
	p.None = "No decision yet. One appears here as soon as a client asks for mail settings through the guard."
	if p.Filtered {
		p.None = "No decision fits."
	}
	var err error
	p.Plots, err = summary.Report(review.Log{}, maxRows).Plots()
	return p, err
}

// options lists the values that occur and can be shown, and the one that is chosen.
func options(label, name, now string, seen map[string]bool) choice {
	seen[now] = true
	maps.DeleteFunc(seen, func(value string, _ bool) bool { return value == "" || terminal.Printable(value) != value })
	return choice{label, name, now, slices.Sorted(maps.Keys(seen))}
}
