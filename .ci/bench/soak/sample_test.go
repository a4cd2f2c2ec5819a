package main

import (
	"strings"
	"testing"
)

func TestFlat(t *testing.T) {
	for name, c := range map[string]struct {
		rss  func(i int) int64
		fds  func(i int) int64
		want string
	}{
		"flat":                     {func(int) int64 { return 40 << 10 }, func(int) int64 { return 30 }, ""},
		"noise":                    {func(i int) int64 { return 40<<10 + int64(i%2)*4<<10 }, func(i int) int64 { return 30 + int64(i%3) }, ""},
		"grows in the first half":  {func(i int) int64 { return min(int64(i), 9) * 8 << 10 }, func(int) int64 { return 30 }, ""},
		"memory leaks":             {func(i int) int64 { return 40<<10 + int64(i)*2<<10 }, func(int) int64 { return 30 }, "RSS"},
		"ten descriptors a minute": {func(int) int64 { return 40 << 10 }, func(i int) int64 { return 30 + int64(i)*5 }, "descriptors"},
		"shrinks":                  {func(i int) int64 { return 90<<10 - int64(i)*2<<10 }, func(i int) int64 { return 200 - int64(i)*5 }, ""},
	} {
		var samples []sample
		for i := range 20 {
			samples = append(samples, sample{rss: c.rss(i), descriptors: c.fds(i), goroutines: 30})
		}
		got := strings.Join(flat(samples), "\n")
		if (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if got := flat(make([]sample, 10)); len(got) == 0 {
		t.Error("five measurements are enough to see a slope")
	}
}

func TestMissing(t *testing.T) {
	exact := counts{"lab.test": 3}
	for name, c := range map[string]struct {
		exchanges      tally
		asked, written counts
		want           string
	}{
		"all":                         {tally{exact: exact}, nil, counts{"lab.test": 3}, ""},
		"one lost":                    {tally{exact: exact}, nil, counts{"lab.test": 2}, "lab.test"},
		"one twice":                   {tally{exact: exact}, nil, counts{"lab.test": 4}, "lab.test"},
		"left early, both bounds":     {tally{atMost: counts{"gone.test": 5}}, counts{"gone.test": 2}, counts{"gone.test": 4}, ""},
		"left early, one lost":        {tally{atMost: counts{"gone.test": 5}}, counts{"gone.test": 4}, counts{"gone.test": 3}, "gone.test"},
		"left early, one made up":     {tally{atMost: counts{"gone.test": 5}}, counts{"gone.test": 4}, counts{"gone.test": 6}, "gone.test"},
		"of somebody who never asked": {tally{exact: exact}, nil, counts{"lab.test": 3, "else.test": 1}, "else.test"},
	} {
		got := strings.Join(missing(c.exchanges, c.asked, c.written), "\n")
		if (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
