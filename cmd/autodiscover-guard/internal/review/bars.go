package review

import (
	"cmp"
	"maps"
	"slices"
)

// domainBar is how often strangers were suggested to a domain.
type domainBar struct {
	name               string
	stopped, unstopped int64
}

// clientBar is which dialects a client spoke.
type clientBar struct {
	name     string
	total    int64
	dialects map[string]int64
}

// maxPlotBars bounds the bars of a plot by name; the tables have more.
const maxPlotBars = 12

func (s *Summary) domainBars() []domainBar {
	all := map[string]*domainBar{}
	bar := func(e *Entry) *domainBar {
		b := all[e.Key[0]]
		if b == nil {
			b = &domainBar{name: e.Key[0]}
			all[b.name] = b
		}
		return b
	}
	for _, e := range s.stoppedLeaks.sorted() {
		bar(e).stopped += e.Count
	}
	for _, e := range s.openLeaks.sorted() {
		bar(e).unstopped += e.Count
	}
	list := slices.SortedFunc(maps.Values(all), func(a, b *domainBar) int {
		return cmp.Or(cmp.Compare(b.stopped+b.unstopped, a.stopped+a.unstopped), cmp.Compare(a.name, b.name))
	})
	var out []domainBar
	for _, b := range list[:min(len(list), maxPlotBars)] {
		out = append(out, *b)
	}
	return out
}

func (s *Summary) clientBars() []clientBar {
	all := map[string]*clientBar{}
	for _, e := range s.dialects.sorted() {
		b := all[e.Key[1]]
		if b == nil {
			b = &clientBar{name: e.Key[1], dialects: map[string]int64{}}
			all[b.name] = b
		}
		b.total += e.Count
		b.dialects[e.Key[0]] += e.Count
	}
	list := slices.SortedFunc(maps.Values(all), func(a, b *clientBar) int {
		return cmp.Or(cmp.Compare(b.total, a.total), cmp.Compare(a.name, b.name))
	})
	var out []clientBar
	for _, b := range list[:min(len(list), maxPlotBars)] {
		out = append(out, *b)
	}
	return out
}
