package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

// decision is a line of the log. change may put in other values.
func decision(n int, change func(map[string]any)) record.Record {
	fields := map[string]any{
		"level": "warn", "time": time.Date(2026, 11, 24, 13, 0, n, 0, time.UTC).Format(time.RFC3339Nano), "msg": "decision", "schema": 1,
		"exchange": fmt.Sprintf("run-%d", n), "mode": "enforce", "action": "refuse", "would": "", "rule": "documentation", "reason": "outside the rule",
		"client": "192.0.2.7", "door": "connect", "host": "central.test", "method": "GET", "path": "/detect", "status": 200, "dialect": "autodetect",
		"subjects": []string{"example.com"}, "accounts": []string{}, "reserved_by": "IETF",
		"credentials": map[string]any{"present": true, "scheme": "basic", "forwarded": false},
		"suggestions": []any{map[string]any{"path": "/p", "kind": "hostname", "protocol": "imap", "was": "imap.stranger.net", "now": "", "verdict": "remove"}},
		"strangers":   []string{"imap.stranger.net"}, "upstream": map[string]any{"asked": true, "status": 200, "error": "", "check": ""},
		"bytes_in": 1, "bytes_out": 2, "took_ms": 3, "policy": "0123",
	}
	if change != nil {
		change(fields)
	}
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return record.Record{Message: "decision", Line: append(line, '\n'), Count: 1}
}

// kept are the records that /decisions.json gives, and how many are missed.
func kept(t *testing.T, h http.Handler, query string) (ids []string, records []map[string]any, missed int) {
	t.Helper()
	w := ask(t, h, "GET", "localhost", "/decisions.json?"+query)
	var got struct {
		Missed    int
		Decisions []struct {
			ID     string
			Record map[string]any
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	for _, d := range got.Decisions {
		ids, records = append(ids, d.ID), append(records, d.Record)
	}
	return ids, records, got.Missed
}

func pageOver(t *testing.T, ring *console.Ring) http.Handler {
	t.Helper()
	h, _, _ := fixtureOver(t, &console.Status{Ready: true, Policy: "0123"}, new(string), ring)
	return h
}

// The ring keeps the latest thousand, four megabytes at most, and says what one who asks for what came later has missed.
func TestRing_bounds(t *testing.T) {
	ring := console.NewRing()
	h := pageOver(t, ring)
	ring.Show(decision(0, nil))
	first, _, _ := kept(t, h, "")
	for n := range 1500 {
		ring.Show(decision(n+1, nil))
	}
	ids, records, missed := kept(t, h, "after="+first[0])
	if len(ids) != 1000 || missed != 500 || records[999]["exchange"] != "run-1500" || records[0]["exchange"] != "run-501" {
		t.Errorf("%d records, %d missed", len(ids), missed)
	}
	if again, _, missed := kept(t, h, "after="+ids[997]); len(again) != 2 || missed != 0 {
		t.Errorf("%v, %d missed", again, missed)
	}
	another := console.NewRing() // as that of another process is
	another.Show(decision(0, nil))
	former, _, _ := kept(t, pageOver(t, another), "")
	for _, name := range []string{"another.7", "another.70000", former[0]} {
		if all, _, missed := kept(t, h, "after="+name); len(all) != 1000 || missed != 0 {
			t.Errorf("%s, a number of another process: %d, %d missed", name, len(all), missed)
		}
	}
	large := func(f map[string]any) { f["reason"] = strings.Repeat("a", 1<<20) }
	for n := range 10 {
		ring.Show(decision(n, large))
	}
	if ids, _, _ := kept(t, h, ""); len(ids) != 3 { // the fourth does not fit with its keys
		t.Errorf("%d records of a megabyte are kept", len(ids))
	}
	ring.Show(decision(1, func(f map[string]any) { f["reason"] = strings.Repeat("a", 5<<20) }))
	one := decision(2, nil)
	ring.Show(record.Record{Message: record.DroppedMessage, Line: one.Line, Count: 1})
	ring.Show(record.Record{Message: one.Message, Line: one.Line})
	if ids, _, _ := kept(t, h, ""); len(ids) != 3 {
		t.Errorf("%d records: what is too large, or no decision, is kept", len(ids))
	}
}

// What writers share with readers is a lock for the time of a few assignments; the race detector looks at the rest.
func TestRing_concurrently(t *testing.T) {
	ring := console.NewRing()
	h := pageOver(t, ring)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range 300 {
				ring.Show(decision(n, nil))
			}
		})
		all.Go(func() {
			for range 5 {
				if w := ask(t, h, "GET", "localhost", "/decisions.json"); w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) {
					t.Errorf("%d: %s", w.Code, w.Body)
				}
			}
		})
	}
	all.Wait()
	if ids, _, _ := kept(t, h, ""); len(ids) != 1000 {
		t.Errorf("%d records", len(ids))
	}
}

// An exchange pays for the page with one copy of its line.
func TestRing_cost(t *testing.T) {
	ring, r := console.NewRing(), decision(1, nil)
	if got := testing.AllocsPerRun(2000, func() { ring.Show(r) }); got > 1 {
		t.Errorf("%v allocations, want the copy alone", got)
	}
}

func BenchmarkRing(b *testing.B) {
	ring, r := console.NewRing(), decision(1, nil)
	b.ReportAllocs()
	for b.Loop() {
		ring.Show(r)
	}
}
