package review

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Report is a summary, ready to be shown. Its JSON form is a contract: keys may be added.
type Report struct {
	Schema int `json:"schema"`
	Log    Log `json:"log"`
	// Decisions are those that the filter let through, Others those that it did not.
	Decisions int64  `json:"decisions"`
	Others    int64  `json:"others"`
	First     Moment `json:"-"`
	Last      Moment `json:"-"`
	Since     Moment `json:"-"`
	Until     Moment `json:"-"`
	// Actions counts decisions by action; other is a tunnel, or any that this program does not know.
	Actions struct {
		Pass   int64 `json:"pass"`
		Edit   int64 `json:"edit"`
		Refuse int64 `json:"refuse"`
		Answer int64 `json:"answer"`
		Other  int64 `json:"other"`
	} `json:"actions"`
	// Monitored are decisions that passed because the rule only records.
	Monitored int64      `json:"monitored"`
	Sections  []*Section `json:"-"`

	// Leaks, Pins, Unread and Distrusts are what Fails looks at, beside Decisions.
	Leaks, Pins, Unread, Distrusts int64 `json:"-"`

	timeline []*Bucket
	width    time.Duration
	domains  []domainBar
	byClient []clientBar
}

const (
	reportSchema = 1
	// sectionDialects is what the plot of clients has its numbers from.
	sectionDialects = "dialects"
	// maxTimelineBars bounds what the time line of a report has.
	maxTimelineBars = 96
	// silencesShown bounds the gaps that a report lists.
	silencesShown = 5
)

// Report makes a report of what was read so far. top bounds the rows of each section; zero is all of them.
func (s *Summary) Report(log Log, top int) *Report {
	r := &Report{
		Schema: reportSchema, Log: log, Decisions: s.times, Others: s.others, First: Moment(s.first), Last: Moment(s.last),
		Since: Moment(s.filter.Since), Until: Moment(s.filter.Until), Monitored: s.monitored,
		Leaks: s.notStopped, Pins: s.violated, Unread: s.shapes.Total + log.Odd(), Distrusts: s.distrusts,
	}
	a := &r.Actions
	a.Pass, a.Edit, a.Refuse, a.Answer, a.Other = s.actions[0], s.actions[1], s.actions[2], s.actions[3], s.actions[4]
	r.timeline, r.width = s.line.coarse(maxTimelineBars)
	r.domains, r.byClient = s.domainBars(), s.clientBars()
	r.Sections = []*Section{
		section(&s.openLeaks, top, Section{
			ID: "not_stopped", Title: "Leaks not stopped", Total: s.notStopped, Unit: "decisions",
			Columns: []string{"domain", "stranger", "how", "times", "with_credentials", "clients", "first", "last"},
		}),
		section(&s.stoppedLeaks, top, Section{
			ID: "stopped", Title: "Leaks stopped", Total: s.stopped, Unit: "decisions",
			Columns: []string{"domain", "stranger", "action", "times", "with_credentials", "clients", "first", "last"},
		}),
		s.newStrangersSection(top),
		section(&s.clients, top, Section{
			ID: "clients", Title: "Clients that do not trust the guard, or go past its proxy", Total: s.clients.Total, Unit: "handshakes and exchanges",
			Note:    "A client that does not trust the authority is not guarded: it just fails. A tunnel to discovery that the policy does not open goes past it. Who was redirected is guarded all the same.",
			Columns: []string{"client", "what", "host", "times", "first", "last"},
		}),
		section(&s.pins, top, Section{
			ID: "pins", Title: "Pinned domains that were offered other servers", Total: s.violated, Unit: "decisions",
			Columns: []string{"rule", "domain", "stranger", "state", "times", "clients", "first", "last"},
		}),
		section(&s.shapes, top, Section{
			ID: "shapes", Title: "Answers that nobody could read", Total: s.shapes.Total, Unit: "decisions",
			Columns: []string{"what", "dialect", "host", "detail", "times", "clients", "first", "last"},
		}),
		s.latencySection(),
		section(&s.failures, top, Section{
			ID: "failures", Title: "Upstream failures", Total: s.failures.Total, Unit: "decisions",
			Columns: []string{"error", "check", "host", "times", "clients", "first", "last"},
		}),
		s.changeSection(top),
		s.gapSection(log),
		section(&s.messages, top, Section{
			ID: "messages", Title: "Other warnings and errors", Total: s.messages.Total, Unit: "messages",
			Columns: []string{"message", "level", "times", "first", "last"},
		}),
		section(&s.rules, top, Section{
			ID: "rules", Title: "Decisions by rule", Columns: []string{"rule", "action", "would", "times", "clients", "first", "last"},
		}),
		section(&s.dialects, top, Section{
			ID: sectionDialects, Title: "Decisions by dialect and client", Columns: []string{"dialect", "client", "times", "first", "last"},
		}),
	}
	return r
}

// section fills in the rows: the columns before "times" are the parts of the key.
func section(t *Tally, top int, s Section) *Section {
	entries := t.sorted()
	s.Omitted, s.OmittedCount = t.Evicted, t.EvictedCount
	for i, e := range entries {
		if top > 0 && i >= top {
			s.Omitted++
			s.OmittedCount += e.Count
			continue
		}
		row := make([]any, len(s.Columns))
		for j, column := range s.Columns {
			row[j] = e.value(column, j)
		}
		s.Rows = append(s.Rows, row)
	}
	return &s
}

func (e *Entry) value(column string, i int) any {
	switch column {
	case "times":
		return Count{e.Count, e.AtLeast}
	case "with_credentials":
		return e.Secrets
	case "clients":
		return Clients{e.Clients, e.MoreClients}
	case "first":
		return Moment(e.First)
	case "last":
		return Moment(e.Last)
	}
	return e.Key[i]
}

// newStrangersSection lists strangers that nobody had suggested before the window. Without a window there is no before. Where files are not in the order of time, those
// of several guards say, what came before may have been read later.
func (s *Summary) newStrangersSection(top int) *Section {
	fresh := s.newStrangers
	fresh.entries = maps.Clone(fresh.entries)
	maps.DeleteFunc(fresh.entries, func(k Key, _ *Entry) bool { return s.known.has(k[1]) })
	out := Section{
		ID: "new_strangers", Title: "Strangers never seen before", Total: int64(len(fresh.entries)) + fresh.Evicted, Unit: "pairs of domain and stranger",
		Columns: []string{"domain", "stranger", "times", "with_credentials", "clients", "first", "last"},
	}
	switch {
	case s.filter.Since == 0:
		out.Note = "Not looked for: --since says where the window begins, and what the log has from before it is what was seen before."
	case s.known.full:
		out.Note = fmt.Sprintf("There were more than %s strangers before the window; some that are listed may have been among them.", thousands(maxKnown))
	}
	return section(&fresh, top, out)
}

func (s *Summary) latencySection() *Section {
	out := &Section{
		ID: "latency", Title: "Milliseconds from question to answer", Total: s.overall.count, Unit: "decisions",
		Note:    "Exact below 1,024 ms; above, a percentile may be up to 1/128 too small.",
		Columns: []string{"dialect", "times", "p50", "p90", "p99", "max"},
	}
	if s.overall.count == 0 {
		return out
	}
	row := func(name string, l *latencies) {
		out.Rows = append(out.Rows, []any{name, l.count, l.percentile(50), l.percentile(90), l.percentile(99), l.max})
	}
	row("all", &s.overall)
	for _, name := range slices.Sorted(maps.Keys(s.latency)) {
		row(name, s.latency[name])
	}
	return out
}

// changeSection lists what was in force when: policies, authorities and processes, each with its first and last decision, and reloads.
func (s *Summary) changeSection(top int) *Section {
	out := &Section{ID: "changes", Title: "Policies, authorities and processes seen", Columns: []string{"what", "name", "times", "first", "last"}}
	for _, t := range []*Tally{&s.policies, &s.authorities, &s.processes, &s.reloaded} {
		part := section(t, top, Section{Columns: out.Columns})
		out.Omitted, out.OmittedCount = part.Omitted+out.Omitted, part.OmittedCount+out.OmittedCount
		out.Rows = append(out.Rows, part.Rows...)
	}
	return out
}

// gapSection tells what is missing: records that were lost, lines that could not be read, and long silences.
func (s *Summary) gapSection(log Log) *Section {
	out := &Section{ID: "gaps", Title: "Gaps", Columns: []string{"what", "times", "first", "last"}}
	count := func(what string, n int64) {
		if n > 0 {
			out.Rows = append(out.Rows, []any{what, n, Moment(0), Moment(0)})
		}
	}
	count("records that the guard could not write", s.lost)
	count("files whose rest cannot be read", log.CutShort)
	count("lines that cannot be read", log.Unreadable)
	count("lines that are too long", log.TooLong)
	count("torn lines", log.Torn)
	count("records of another version of the schema (such as "+log.Version+")", log.OtherVersions)
	for _, gap := range s.line.silences(silencesShown) {
		out.Rows = append(out.Rows, []any{"no decision for " + durationText(time.Duration(gap.To-gap.From)), int64(1), Moment(gap.From), Moment(gap.To)})
	}
	return out
}

// durationText is a duration in two units at most.
func durationText(d time.Duration) string {
	if days := d / (24 * time.Hour); days > 0 {
		return fmt.Sprintf("%dd%dh", days, d%(24*time.Hour)/time.Hour)
	}
	return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
}

// Failures that a review may be told to end with.
const (
	FailLeak  = "leak"
	FailParse = "parse"
	FailPin   = "pin"
	FailTrust = "trust"
	FailEmpty = "empty"
)

// Failures lists them.
func Failures() []string { return []string{FailLeak, FailParse, FailPin, FailTrust, FailEmpty} }

// Fails lists those of the named failures that the report has, each with its number.
func (r *Report) Fails(names []string) []string {
	var out []string
	for _, name := range names {
		n := map[string]int64{FailLeak: r.Leaks, FailParse: r.Unread, FailPin: r.Pins, FailTrust: r.Distrusts}[name]
		if name == FailEmpty && r.Decisions == 0 {
			out = append(out, name+": no decision")
		} else if n > 0 {
			out = append(out, fmt.Sprintf("%s: %s", name, thousands(n)))
		}
	}
	return out
}
