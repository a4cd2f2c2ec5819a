package record

import (
	"bytes"
	"container/list"
	"strconv"
	"sync"
	"time"
)

// Rate is a number of identical decisions in a span of time. The zero Rate is no rate: nothing is beyond it.
type Rate struct {
	Count int
	Per   time.Duration
}

func (r Rate) positive() bool { return r.Count > 0 && r.Per > 0 }

// Window is the longest time that a decision is held, and so what a process that is killed can lose of those that repeat.
const Window = time.Second

const (
	// holdTime is for how long identical decisions are held, window after window, before their rate is looked at again.
	holdTime = 10 * Window
	// maxIdentities bounds how many different decisions are remembered; the one that came up longest ago is forgotten first.
	maxIdentities = 4096
	// maxHeld bounds the bytes of the records that are held: a record may have hundreds of suggestions.
	maxHeld = 8 << 20
)

// repeats holds back identical decisions beyond a rate. A decision is passed, or counted in exactly one window that is written.
//
// A decision that exceeds the rate is held until the end of its window, and so is what follows for holdTime. If even all of that time
// exceeded the rate, it begins anew: a loop makes one record a window, and not as many as the rate allows.
type repeats struct {
	limit Rate
	write func(Record)

	// flushing is taken while records that left the lists are written, so that who flushes knows that all have been. It is taken before mu.
	flushing sync.Mutex

	mu      sync.Mutex
	known   map[identity]*decision
	recent  list.List // of *decision, the one that came up last in front
	holding list.List // of *decision that are held, the one whose window ends first in front
	bytes   int       // of lines that are held
	timer   *time.Timer
	closed  bool
}

// decision is what is known of identical decisions.
type decision struct {
	id     identity
	recent *list.Element
	// begun and seen are the span at hand of a decision that is not held.
	begun time.Time
	seen  int
	// holding is set while it is held: until end, with repeated so far in windows that have been written. The window at hand lasts until due, with
	// record being the first of held.
	holding  *list.Element
	end, due time.Time
	repeated int
	held     int
	record   Record
}

func newRepeats(limit Rate, write func(Record)) *repeats {
	return &repeats{limit: limit, write: write, known: make(map[identity]*decision)}
}

// hold reports whether a decision was counted and is not to be written. encode makes its record, which is asked for once a window.
func (r *repeats) hold(id identity, encode func() (Record, error)) (held bool, err error) {
	r.mu.Lock()
	held, due, err := r.count(id, encode)
	r.mu.Unlock()
	for _, record := range due {
		r.write(record)
	}
	return held, err
}

// count does what hold does; due are records that had to make room.
func (r *repeats) count(id identity, encode func() (Record, error)) (held bool, due []Record, err error) {
	if r.closed {
		return false, nil, nil
	}
	now := time.Now()
	d, due := r.find(id, now)
	if d.holding == nil {
		if now.Sub(d.begun) >= r.limit.Per {
			d.begun, d.seen = now, 0
		}
		if d.seen < r.limit.Count {
			d.seen++
			return false, due, nil
		}
	}
	if d.held == 0 {
		if d.record, err = encode(); err != nil {
			return false, due, err
		}
		r.bytes += len(d.record.Line)
	}
	d.held++
	if d.holding == nil {
		r.begin(d, now)
	}
	for r.bytes > maxHeld && r.holding.Len() > 1 {
		due = append(due, r.forget(r.holding.Front().Value.(*decision))...)
	}
	return true, due, nil
}

// find gives what is known of a decision, and makes room where it is new.
func (r *repeats) find(id identity, now time.Time) (d *decision, due []Record) {
	if d = r.known[id]; d != nil {
		r.recent.MoveToFront(d.recent)
		return d, nil
	}
	if len(r.known) >= maxIdentities {
		due = r.forget(r.recent.Back().Value.(*decision))
	}
	d = &decision{id: id, begun: now}
	d.recent = r.recent.PushFront(d)
	r.known[id] = d
	return d, due
}

// begin begins to hold a decision, for holdTime.
func (r *repeats) begin(d *decision, now time.Time) {
	d.end, d.repeated = now.Add(holdTime), 0
	r.keep(d, now)
}

// keep begins a window. All are of the same length, so the list stays in order.
func (r *repeats) keep(d *decision, now time.Time) {
	d.due = now.Add(Window)
	d.holding = r.holding.PushBack(d)
	if r.timer == nil {
		r.timer = time.AfterFunc(Window, r.expire)
	}
}

// take gives the record of what is held, if anything is.
func (r *repeats) take(d *decision) []Record {
	if d.holding != nil {
		r.holding.Remove(d.holding)
		d.holding = nil
	}
	if d.held == 0 {
		return nil
	}
	record := d.record
	r.bytes -= len(record.Line)
	record.Count = d.held
	if d.held > 1 {
		record.Line = repeated(record.Line, d.held)
	}
	d.held, d.record = 0, Record{}
	return []Record{record}
}

func (r *repeats) forget(d *decision) []Record {
	delete(r.known, d.id)
	r.recent.Remove(d.recent)
	return r.take(d)
}

// expire writes the windows that have ended.
func (r *repeats) expire() {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	r.mu.Lock()
	var due []Record
	for now := time.Now(); r.holding.Len() > 0; {
		d := r.holding.Front().Value.(*decision)
		if d.due.After(now) {
			break
		}
		d.repeated += d.held
		due = append(due, r.take(d)...)
		switch {
		case d.end.After(now):
			r.keep(d, now)
		case float64(d.repeated)*float64(r.limit.Per) > float64(r.limit.Count)*float64(holdTime):
			r.begin(d, now)
		default:
			due = append(due, r.forget(d)...)
		}
	}
	r.timer = nil
	if r.holding.Len() > 0 { // not once it is closed
		r.timer = time.AfterFunc(time.Until(r.holding.Front().Value.(*decision).due), r.expire)
	}
	r.mu.Unlock()
	for _, record := range due {
		r.write(record)
	}
}

// flush writes whatever is held, and returns when all of it has been written.
func (r *repeats) flush() { r.empty(false) }

// close is flush, after which nothing is held any more.
func (r *repeats) close() { r.empty(true) }

func (r *repeats) empty(closed bool) {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	r.mu.Lock()
	r.closed = r.closed || closed
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	var due []Record
	for r.holding.Len() > 0 {
		due = append(due, r.forget(r.holding.Front().Value.(*decision))...)
	}
	r.mu.Unlock()
	for _, record := range due {
		r.write(record)
	}
}

// repeated puts how many a record stands for behind the last of its keys, or where a line for people has none.
func repeated(line []byte, n int) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if keys, ok := bytes.CutSuffix(line, []byte("}")); ok {
		line = append(keys, `,"repeat":`...)
	} else {
		line = append(line, `  {"repeat":`...)
	}
	line = strconv.AppendInt(line, int64(n), 10)
	return append(line, '}', '\n')
}
