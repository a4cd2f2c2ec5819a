package review

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

const (
	// maxKeys bounds the entries of a tally.
	maxKeys = 4096
	// maxClients bounds the clients that an entry names.
	maxClients = 8
)

// Key names what is counted in a tally, in up to four parts.
type Key [4]string

// Entry is what a tally knows of one key.
type Entry struct {
	Key   Key
	Count int64
	// Secrets is how many of those carried credentials.
	Secrets     int64
	First, Last int64 // as of Record.At
	// Clients are those that it is about, sorted, at most maxClients; MoreClients says that there were others.
	Clients     []string
	MoreClients bool
	// AtLeast says that the numbers may be too small: when the key came, rare ones had been given up, and it may have been among them.
	AtLeast bool
}

// Tally counts by keys from outside, in bounded memory. When it is full, it gives up the rarer half of its keys; Total stays exact. The
// zero Tally is ready to use.
type Tally struct {
	Total   int64
	entries map[Key]*Entry
	last    *Entry // the same is often counted again and again
	// Evicted is how many keys were given up, and EvictedCount how much they had been counted.
	Evicted, EvictedCount int64
}

// sighting is one thing to count.
type sighting struct {
	times, secrets int64
	at             int64
	client         string
}

// add counts.
func (t *Tally) add(key Key, s sighting) {
	t.Total += s.times
	for i, part := range key {
		if len(part) > maxText {
			key[i] = clip(part)
		}
	}
	e := t.last
	if e == nil || e.Key != key {
		if e = t.entries[key]; e == nil {
			e = t.make(key, s.at)
		}
		t.last = e
	}
	e.Count += s.times
	e.Secrets += s.secrets
	e.First, e.Last = min(e.First, s.at), max(e.Last, s.at)
	if s.client != "" {
		e.client(s.client)
	}
}

// make adds an entry. Its strings are copied: those that it is given are lent (Consumer).
func (t *Tally) make(key Key, at int64) *Entry {
	if t.entries == nil {
		t.entries = make(map[Key]*Entry)
	}
	if len(t.entries) >= maxKeys {
		t.evict()
	}
	for i := range key {
		key[i] = strings.Clone(key[i])
	}
	e := &Entry{Key: key, First: at, Last: at, AtLeast: t.Evicted > 0}
	t.entries[key] = e
	return e
}

// evict removes the rarer half, of equally rare ones those that were seen longest ago.
func (t *Tally) evict() {
	all := slices.SortedFunc(maps.Values(t.entries), func(a, b *Entry) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(b.Last, a.Last), slices.Compare(a.Key[:], b.Key[:]))
	})
	for _, e := range all[len(all)/2:] {
		delete(t.entries, e.Key)
		t.Evicted++
		t.EvictedCount += e.Count
	}
}

// sorted lists the entries, the most frequent first, equals by key.
func (t *Tally) sorted() []*Entry {
	return slices.SortedFunc(maps.Values(t.entries), func(a, b *Entry) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), slices.Compare(a.Key[:], b.Key[:]))
	})
}

func (e *Entry) client(name string) {
	if e.MoreClients {
		return
	}
	if len(name) > maxText {
		name = clip(name)
	}
	i, found := slices.BinarySearch(e.Clients, name)
	switch {
	case found:
	case len(e.Clients) == maxClients:
		e.MoreClients = true
	default:
		e.Clients = slices.Insert(e.Clients, i, strings.Clone(name))
	}
}
