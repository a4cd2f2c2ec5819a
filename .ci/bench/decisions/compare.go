package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"
)

// compare holds a report against the truth: every number in the truth must be in the report. Rows are compared as sets.
func compare(truthFile, reportFile string) error {
	var want, got object
	for name, to := range map[string]*object{truthFile: &want, reportFile: &got} {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, to); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	c := &comparison{}
	minutes, _ := want["minutes"].(object)
	delete(want, "minutes")
	c.timeline(minutes, got)
	c.value("report", want, got)
	if c.wrong > 0 {
		return fmt.Errorf("%d of %d values differ from the truth", c.wrong, c.seen)
	}
	fmt.Printf("decisions: %d values equal the truth\n", c.seen)
	return nil
}

type comparison struct{ seen, wrong int }

func (c *comparison) differ(path string, want, got any) {
	c.wrong++
	if c.wrong <= 20 {
		fmt.Fprintf(os.Stderr, "%s: got %v, want %v\n", path, got, want)
	}
}

func (c *comparison) value(path string, want, got any) {
	switch want := want.(type) {
	case object:
		inner, ok := got.(object)
		if !ok {
			c.differ(path, want, got)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			c.value(path+"."+key, want[key], inner[key])
		}
	case []any:
		inner, _ := got.([]any)
		a, b := sorted(want), sorted(inner)
		if len(a) != len(b) {
			c.differ(path, fmt.Sprint(len(a), " elements"), fmt.Sprint(len(b), " elements"))
			return
		}
		for i := range a {
			c.seen++
			if a[i] != b[i] {
				c.differ(fmt.Sprintf("%s[%d]", path, i), a[i], b[i])
			}
		}
	default:
		c.seen++
		if want != got {
			c.differ(path, want, got)
		}
	}
}

// sorted lists the elements as text, in an order of their own.
func sorted(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // it came out of json.Unmarshal
		}
		out[i] = string(text)
	}
	slices.Sort(out)
	return out
}

// timeline adds up the minutes to the report's buckets.
func (c *comparison) timeline(minutes object, got object) {
	width, _ := got["timeline_seconds"].(float64)
	if width < 60 {
		c.differ("timeline_seconds", "a minute at least", width)
		return
	}
	want := map[int64]map[string]float64{}
	for minute, counts := range minutes {
		var m int64
		if _, err := fmt.Sscan(minute, &m); err != nil {
			panic(err) // we wrote it
		}
		start := m * 60 / int64(width) * int64(width)
		if want[start] == nil {
			want[start] = map[string]float64{}
		}
		for name, n := range counts.(object) {
			want[start][name] += n.(float64)
		}
	}
	list, _ := got["timeline"].([]any)
	if len(list) != len(want) {
		c.differ("timeline", len(want), len(list))
	}
	for _, b := range list {
		bucket, _ := b.(object)
		start, _ := bucket["start"].(string)
		at, err := time.Parse(time.RFC3339, start)
		if err != nil {
			c.differ("timeline.start", "a time", start)
			continue
		}
		actions, _ := bucket["actions"].(object)
		for _, name := range []string{"pass", "edit", "refuse", "answer"} {
			c.seen++
			if actions[name] != want[at.Unix()][name] {
				c.differ("timeline "+start+" "+name, want[at.Unix()][name], actions[name])
			}
		}
		c.seen++
		if bucket["not_stopped"] != want[at.Unix()]["leaks"] {
			c.differ("timeline "+start+" not stopped", want[at.Unix()]["leaks"], bucket["not_stopped"])
		}
	}
}
