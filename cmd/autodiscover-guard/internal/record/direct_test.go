package record_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

// A sink that hangs holds up the one whose record it has, and the others until it is clear that it hangs. It is not asked for anything else either, and what it did
// not get is known.
func TestDirect_hangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &hanging{gate: make(chan struct{})}
		var life bytes.Buffer
		log, decisions := newLog(sink, record.Rate{}, &life)
		var stuck sync.WaitGroup
		stuck.Go(func() { decide(decisions, "192.0.2.1", "/", 0) })
		synctest.Wait() // it is in the sink now
		took := func(f func()) time.Duration {
			begun := time.Now()
			f()
			return time.Since(begun)
		}
		time.Sleep(time.Second)
		for n, want := range []time.Duration{4 * time.Second, 0, 0} {
			if got := took(func() { decide(decisions, "192.0.2.1", "/", n) }); got != want {
				t.Errorf("decision %d waits for %v, want %v", n, got, want)
			}
		}
		var err error
		if got := took(func() { err = log.Reopen() }); err == nil || got != 0 {
			t.Errorf("opened anew: %v after %v, want an error at once", err, got)
		}
		sink.gate <- struct{}{}
		sink.gate <- struct{}{} // for the line that says what was dropped
		stuck.Wait()
		stuck.Go(func() { decide(decisions, "192.0.2.1", "/", 4) })
		sink.gate <- struct{}{}
		stuck.Wait()
		if got, told := total(sink.read(t)); got != 2 || told != 3 {
			t.Errorf("%d written and %d told, want 2 and 3", got, told)
		}

		stuck.Go(func() { decide(decisions, "192.0.2.1", "/", 5) })
		synctest.Wait()
		if got := took(func() { err = log.Close() }); err == nil || got != 2*time.Second {
			t.Errorf("closed: %v after %v, want an error after 2s", err, got)
		}
		close(sink.gate)
		stuck.Wait()
		if text := "what they are written to hangs"; strings.Count(life.String(), text) != 1 {
			t.Errorf("%q is to be said once in\n%s", text, life.String())
		}
	})
}

// creeping is a sink that is slow, and gets there.
type creeping struct{ faulty }

func (c *creeping) Put(r record.Record) error {
	time.Sleep(4 * time.Second)
	return c.faulty.Put(r)
}

// However slow a sink is and however many wait, while it takes one record after the other none is dropped.
func TestDirect_everybodyGetsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(creeping)
		log := record.New(record.Config{Sink: sink, Encoder: encoder(), Dropped: func(n int) { t.Errorf("%d dropped", n) }})
		decisions := zap.New(log.Core())
		var all sync.WaitGroup
		for n := range 20 {
			all.Go(func() { decide(decisions, "192.0.2.1", "/", n) })
		}
		all.Wait()
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if got, told := total(sink.read(t)); got != 20 || told != 0 {
			t.Errorf("%d written and %d told, want 20 and none", got, told)
		}
	})
}
