package review

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// widths are those of the time line's buckets; each is a multiple of the one before.
var widths = [...]time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour, 364 * 24 * time.Hour,
}

// maxBuckets bounds the time line: when it has more, its buckets grow. The years that a record may be of fit into the widest.
const maxBuckets = 2048

// Bucket is what happened in a span of time.
type Bucket struct {
	Start int64 // as of Record.At
	// First and Last are when something happened in it.
	First, Last int64
	// Actions counts by action: pass, edit, refuse, answer, anything else.
	Actions [len(actionNames) + 1]int64
	// Leaks are those that were not stopped.
	Leaks int64
}

// actionNames are the actions of a record in the order in which they are counted.
var actionNames = [...]string{"pass", "edit", "refuse", "answer"}

func actionIndex(name string) int {
	for i, known := range actionNames {
		if name == known {
			return i
		}
	}
	return len(actionNames)
}

// timeline counts by time, in any order of the records.
type timeline struct {
	width   int // of widths
	buckets map[int64]*Bucket
	last    *Bucket // most records are of the same minute as the one before
}

// bucket finds the bucket of a time.
func (t *timeline) bucket(at int64) *Bucket {
	width := int64(widths[t.width])
	start := at - at%width
	if t.last == nil || t.last.Start != start {
		b := t.buckets[start]
		if b == nil {
			return t.add(at)
		}
		t.last = b
	}
	t.last.First, t.last.Last = min(t.last.First, at), max(t.last.Last, at)
	return t.last
}

func (t *timeline) add(at int64) *Bucket {
	if t.buckets == nil {
		t.buckets = make(map[int64]*Bucket)
	}
	if len(t.buckets) >= maxBuckets && t.width < len(widths)-1 {
		t.width++
		t.buckets = merged(t.buckets, int64(widths[t.width]))
		t.last = nil
		return t.bucket(at)
	}
	width := int64(widths[t.width])
	b := &Bucket{Start: at - at%width, First: at, Last: at}
	t.buckets[b.Start], t.last = b, b
	return b
}

// merged makes wider buckets.
func merged(buckets map[int64]*Bucket, width int64) map[int64]*Bucket {
	out := make(map[int64]*Bucket, len(buckets)/2)
	for _, b := range buckets {
		start := b.Start - b.Start%width
		into := out[start]
		if into == nil {
			into = &Bucket{Start: start, First: b.First, Last: b.Last}
			out[start] = into
		}
		into.First, into.Last = min(into.First, b.First), max(into.Last, b.Last)
		into.Leaks += b.Leaks
		for i, n := range b.Actions {
			into.Actions[i] += n
		}
	}
	return out
}

// sorted lists the buckets by time; those in which nothing happened are missing.
func (t *timeline) sorted() []*Bucket {
	return slices.SortedFunc(maps.Values(t.buckets), func(a, b *Bucket) int { return cmp.Compare(a.Start, b.Start) })
}

// coarse lists buckets by time, wide enough that at most n of them cover everything.
func (t *timeline) coarse(n int) (all []*Bucket, width time.Duration) {
	all = t.sorted()
	if len(all) == 0 {
		return nil, widths[0]
	}
	i := t.width
	for i < len(widths)-1 && all[len(all)-1].Start/int64(widths[i])-all[0].Start/int64(widths[i]) >= int64(n) {
		i++
	}
	wide := timeline{width: i, buckets: merged(t.buckets, int64(widths[i]))}
	return wide.sorted(), widths[i]
}

// Silence is a time without any decision.
type Silence struct{ From, To int64 }

// silences lists the longest times without a decision, at most n, by time. Shorter ones than an hour, or than two buckets, do not count.
func (t *timeline) silences(n int) []Silence {
	all := t.sorted()
	least := max(int64(time.Hour), 2*int64(widths[t.width]))
	var found []Silence
	for i := 1; i < len(all); i++ {
		if s := (Silence{all[i-1].Last, all[i].First}); s.To-s.From >= least {
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(a, b Silence) int { return cmp.Compare(b.To-b.From, a.To-a.From) })
	found = found[:min(n, len(found))]
	slices.SortFunc(found, func(a, b Silence) int { return cmp.Compare(a.From, b.From) })
	return found
}
