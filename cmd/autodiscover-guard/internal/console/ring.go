package console

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
	"autodiscover-guard/intercept"
)

const (
	// maxRecords and maxBytes bound what a Ring keeps. A record has about a kilobyte; one with all the suggestions that fit has hundreds.
	maxRecords = 1000
	maxBytes   = 4 << 20
)

// Ring keeps the latest decision records for the page, as they were written: nothing is in it that the log has not been given. It is safe for
// concurrent use, and whoever adds a record waits for no reader.
type Ring struct {
	// run tells the numbers of this process from those of the one before.
	run string

	mu      sync.Mutex
	lines   [maxRecords][]byte // the record with number n, counted from 1, is lines[n%maxRecords]
	oldest  uint64             // the first number that is kept
	next    uint64             // the number of the next record
	bytes   int
	waiting map[chan struct{}]struct{}
}

// NewRing makes an empty ring.
func NewRing() *Ring {
	run := make([]byte, 6)
	_, _ = rand.Read(run) // it never fails: package crypto/rand
	return &Ring{run: hex.EncodeToString(run), oldest: 1, next: 1, waiting: make(map[chan struct{}]struct{})}
}

// Show takes a record, as [record.Config] wants it: it keeps a copy of the line, and of nothing that is no decision.
func (r *Ring) Show(rec record.Record) {
	line := bytes.Clone(bytes.TrimSuffix(rec.Line, []byte("\n")))
	if rec.Count == 0 || rec.Message != intercept.EventMessage || len(line) > maxBytes {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.next-r.oldest == maxRecords || r.bytes+len(line) > maxBytes {
		first := &r.lines[r.oldest%maxRecords]
		r.bytes -= len(*first)
		*first = nil
		r.oldest++
	}
	r.lines[r.next%maxRecords] = line
	r.bytes += len(line)
	r.next++
	for wake := range r.waiting {
		select {
		case wake <- struct{}{}:
		default: // it has been woken and has not looked yet
		}
	}
}

// kept is a record in the ring. Nobody changes the line.
type kept struct {
	number uint64
	line   []byte
}

// after lists what is kept beyond a number, the oldest first, and how many are not any more.
func (r *Ring) after(number uint64) (all []kept, missed uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from := max(number+1, r.oldest)
	for n := from; n < r.next; n++ {
		all = append(all, kept{n, r.lines[n%maxRecords]})
	}
	return all, from - (number + 1)
}

// latest is the number of the latest record; 0 before the first.
func (r *Ring) latest() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next - 1
}

// listen gives what is sent to when there is something new, until leave is called. False means that there are as many listeners as may be.
func (r *Ring) listen(most int) (wake <-chan struct{}, leave func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) >= most {
		return nil, nil, false
	}
	c := make(chan struct{}, 1)
	r.waiting[c] = struct{}{}
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.waiting, c)
	}, true
}

// name is how a record is called outside: it means nothing to another process.
func (r *Ring) name(number uint64) string { return r.run + "." + strconv.FormatUint(number, 10) }

// numbered reads a name. False means that it is none of this process, and the number is 0.
func (r *Ring) numbered(name string) (uint64, bool) {
	run, digits, _ := strings.Cut(name, ".")
	if n, err := strconv.ParseUint(digits, 10, 63); err == nil && run == r.run {
		return n, true
	}
	return 0, false
}
