package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// truth is what a review must say of the log.
type truth struct {
	lines, events, blank, unreadable, versions, torn int64
	decisions, times, monitored                      int64
	leaked, stopped, violated                        int64
	actions                                          map[string]int64
	notStopped, kept, pins, shapes, clients          tally
	changes, rules, dialects, failures               tally
	latency                                          map[string]map[int64]int64
	minutes                                          map[int64]map[string]int64
	first, last                                      time.Time
	silence                                          [][2]time.Time
}

func newTruth() *truth {
	return &truth{
		actions: map[string]int64{}, notStopped: tally{}, kept: tally{}, pins: tally{}, shapes: tally{}, clients: tally{}, changes: tally{}, rules: tally{},
		dialects: tally{}, failures: tally{}, latency: map[string]map[int64]int64{}, minutes: map[int64]map[string]int64{},
	}
}

// row is one row of a section.
type row struct {
	key            []string
	times, secrets int64
	first, last    time.Time
	clients        []string
	more           bool
}

// tally counts without bounds.
type tally map[string]*row

func (t tally) add(key []string, times, secrets int64, at time.Time, client string) {
	name := strings.Join(key, "\x00")
	r := t[name]
	if r == nil {
		r = &row{key: key, first: at}
		t[name] = r
	}
	r.times += times
	r.secrets += secrets
	r.last = at
	switch {
	case client == "" || slices.Contains(r.clients, client):
	case len(r.clients) < 8:
		r.clients = append(r.clients, client)
	default:
		r.more = true
	}
}

// count counts a record.
func (t *truth) count(r *record, at time.Time, run string) {
	n := r.repeat
	if t.decisions == 0 {
		t.first = at
	}
	t.last = at
	t.decisions++
	t.times += n
	word := r.action
	if word == "tunnel" { // none of a decision
		word = "other"
	}
	t.actions[word] += n
	minute := at.Unix() / 60
	if t.minutes[minute] == nil {
		t.minutes[minute] = map[string]int64{}
	}
	t.minutes[minute][word] += n
	t.rules.add([]string{r.rule, r.action, r.would}, n, 0, at, r.client)
	t.dialects.add([]string{r.dialect, r.client}, n, 0, at, "")
	t.changes.add([]string{"policy", r.policy}, n, 0, at, "")
	t.changes.add([]string{"process", run}, n, 0, at, "")
	for _, name := range []string{"all", r.dialect} {
		if t.latency[name] == nil {
			t.latency[name] = map[int64]int64{}
		}
		t.latency[name][r.tookMS] += n
	}
	if r.failure != "" {
		t.failures.add([]string{r.failure, "", r.host}, n, 0, at, r.client)
	}
	switch {
	case r.dialect == "suspected":
		t.shapes.add([]string{"reads like discovery, of no known shape", r.dialect, r.host, r.reason}, n, 0, at, r.client)
	case r.level == "error":
		t.shapes.add([]string{"guarded, and could not be read", r.dialect, r.host, r.reason}, n, 0, at, r.client)
	}
	if r.action == "tunnel" {
		host, _, _ := strings.Cut(r.host, ":")
		t.clients.add([]string{r.client, r.reason, host}, n, 0, at, r.client)
	}
	if r.door == "transparent" {
		t.clients.add([]string{r.client, "does not use the proxy: its traffic was redirected", ""}, n, 0, at, r.client)
	}
	t.strangers(r, n, at, minute)
}

func (t *truth) strangers(r *record, n int64, at time.Time, minute int64) {
	var secrets int64
	if r.present {
		secrets = n
	}
	pin := func(stranger, state string) {
		if r.rule == "pin" || r.rule == "trial" {
			t.pins.add([]string{r.rule, r.domain, stranger, state}, n, 0, at, r.client)
		}
	}
	if r.secretTo != "" {
		t.notStopped.add([]string{r.domain, r.secretTo, "credentials forwarded"}, n, n, at, r.client)
	}
	for _, s := range r.leaked {
		how := "monitored"
		if r.action == "tunnel" {
			how = "tunnelled"
		}
		t.notStopped.add([]string{r.domain, s, how}, n, secrets, at, r.client)
		pin(s, "not stopped: "+how)
	}
	for _, s := range r.stopped {
		t.kept.add([]string{r.domain, s, r.action}, n, secrets, at, r.client)
		pin(s, "stopped")
	}
	if len(r.leaked) > 0 {
		t.leaked += n
		if r.would != "" {
			t.monitored += n
		}
		t.minutes[minute]["leaks"] += n
	} else if len(r.stopped) > 0 {
		t.stopped += n
	}
	if (r.rule == "pin" || r.rule == "trial") && len(r.leaked)+len(r.stopped) > 0 {
		t.violated += n
	}
}

type object = map[string]any

// document is the truth in the form of the report. What is not in it is not compared.
func (t *truth) document() object {
	totals := func(t tally) (n int64) {
		for _, r := range t {
			n += r.times
		}
		return n
	}
	gaps := []object{
		{"what": "lines that cannot be read", "times": t.unreadable, "first": "", "last": ""},
		{"what": "torn lines", "times": t.torn, "first": "", "last": ""},
		{"what": "records of another version of the schema (such as 2)", "times": t.versions, "first": "", "last": ""},
	}
	gaps = slices.DeleteFunc(gaps, func(o object) bool { return o["times"] == int64(0) })
	for _, s := range t.silence {
		d := s[1].Sub(s[0])
		gaps = append(gaps, object{"what": fmt.Sprintf("no decision for %dh%dm", int(d.Hours()), int(d.Minutes())%60), "times": 1, "first": stamp(s[0]), "last": stamp(s[1])})
	}
	return object{
		"decisions": t.times, "others": 0, "monitored": t.monitored, "first": stamp(t.first), "last": stamp(t.last),
		"actions": object{"pass": t.actions["pass"], "edit": t.actions["edit"], "refuse": t.actions["refuse"], "answer": t.actions["answer"], "other": t.actions["other"]},
		"log": object{
			"lines": t.lines, "decisions": t.decisions, "events": t.events, "blank": t.blank, "unreadable": t.unreadable, "other_versions": t.versions,
			"torn": t.torn, "too_long": 0,
		},
		"minutes": t.minutes,
		"sections": object{
			"not_stopped":   section(t.leaked, t.notStopped, "domain", "stranger", "how", "+with_credentials", "+clients"),
			"stopped":       section(t.stopped, t.kept, "domain", "stranger", "action", "+with_credentials", "+clients"),
			"new_strangers": section(0, tally{}),
			"clients":       section(totals(t.clients), t.clients, "client", "what", "host"),
			"pins":          section(t.violated, t.pins, "rule", "domain", "stranger", "state", "+clients"),
			"shapes":        section(totals(t.shapes), t.shapes, "what", "dialect", "host", "detail", "+clients"),
			"latency":       object{"total": t.times, "rows": t.percentiles()},
			"failures":      section(totals(t.failures), t.failures, "error", "check", "host", "+clients"),
			"changes":       section(0, t.changes, "what", "name"),
			"gaps":          object{"rows": gaps},
			"messages":      section(0, tally{}),
			"rules":         section(0, t.rules, "rule", "action", "would", "+clients"),
			"dialects":      section(0, t.dialects, "dialect", "client"),
		},
	}
}

func stamp(t time.Time) string { return t.Format(time.RFC3339Nano) }

// section has the columns of the key, those that every row has, and with a plus those that some have.
func section(total int64, t tally, columns ...string) object {
	rows := []object{}
	for _, r := range t {
		o := object{"times": r.times, "first": stamp(r.first), "last": stamp(r.last)}
		for i, c := range columns {
			switch c {
			case "+with_credentials":
				o["with_credentials"] = r.secrets
			case "+clients":
				slices.Sort(r.clients)
				o["clients"] = r.clients
				if r.more {
					o["more_clients"] = true
				}
			default:
				o[c] = r.key[i]
			}
		}
		rows = append(rows, o)
	}
	return object{"total": total, "rows": rows, "omitted": 0, "omitted_count": 0}
}

// percentiles are by nearest rank, from all values.
func (t *truth) percentiles() []object {
	rows := []object{}
	for name, counts := range t.latency {
		var values []int64
		var total int64
		for ms, n := range counts {
			values = append(values, ms)
			total += n
		}
		slices.Sort(values)
		at := func(p int64) int64 {
			rank, seen := (total*p+99)/100, int64(0)
			for _, ms := range values {
				if seen += counts[ms]; seen >= rank {
					return ms
				}
			}
			return 0
		}
		rows = append(rows, object{"dialect": name, "times": total, "p50": at(50), "p90": at(90), "p99": at(99), "max": values[len(values)-1]})
	}
	return rows
}
