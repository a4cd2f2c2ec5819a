package record_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

func TestDropped_is_said_when_there_is_space_again(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink faulty
		var life bytes.Buffer
		log, decisions := newLog(&sink, record.Rate{}, &life)
		decide(decisions, "192.0.2.1", "/", 0)
		sink.setFull(true)
		from := time.Now()
		for n := range 5 {
			decide(decisions, "192.0.2.1", "/", n)
			time.Sleep(time.Second)
		}
		sink.setFull(false)
		decide(decisions, "192.0.2.1", "/after", 6)
		decide(decisions, "192.0.2.1", "/after", 7)
		entries := sink.read(t)
		gap := entries[2]
		if len(entries) != 4 || gap.Msg != record.DroppedMessage || gap.Dropped != 5 || !gap.From.Equal(from) || !gap.To.Equal(from.Add(4*time.Second)) || gap.Level != "error" {
			t.Errorf("got %+v", entries)
		}
		for text, want := range map[string]int{"decision records cannot be written": 1, "no space left": 1, "can be written again": 1, `"dropped":5`: 1} {
			if got := strings.Count(life.String(), text); got != want {
				t.Errorf("%q is said %d times in\n%s", text, got, life.String())
			}
		}
		life.Reset()
		sink.setFull(true)
		decide(decisions, "192.0.2.1", "/", 8)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(life.String(), "the log does not say so") {
			t.Errorf("a loss at the end is not said: %s", life.String())
		}
	})
}

// hanging is a sink that takes nothing until it is let go.
type hanging struct {
	faulty
	gate chan struct{}
}

func (h *hanging) Put(r record.Record) error {
	<-h.gate
	return h.faulty.Put(r)
}

// A sink that hangs holds nobody up; what it took and what it did not is known.
func TestQueue_does_not_wait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &hanging{gate: make(chan struct{})}
		dropped := 0
		log := record.New(record.Config{Sink: sink, Encoder: encoder(), Queue: 3, Dropped: func(n int) { dropped += n }})
		decisions := zap.New(log.Core())
		decide(decisions, "192.0.2.1", "/", 0)
		synctest.Wait() // it is in the sink now
		begun := time.Now()
		for n := range 10 {
			decide(decisions, "192.0.2.1", "/", n)
		}
		if dropped != 7 || time.Since(begun) != 0 {
			t.Errorf("%d dropped after %v, want 7 at once", dropped, time.Since(begun))
		}
		close(sink.gate)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if got, told := total(sink.read(t)); got != 4 || told != 7 {
			t.Errorf("%d written and %d told, want 4 and 7", got, told)
		}
	})
}

func TestQueue_gives_up_at_the_end(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &hanging{gate: make(chan struct{})}
		dropped := 0
		log := record.New(record.Config{Sink: sink, Encoder: encoder(), Queue: 3, Dropped: func(n int) { dropped += n }})
		decisions := zap.New(log.Core())
		decide(decisions, "192.0.2.1", "/", 0)
		synctest.Wait()
		decide(decisions, "192.0.2.1", "/", 1)
		time.AfterFunc(time.Minute, func() { close(sink.gate) })
		closed := make(chan struct{})
		go func() { _ = log.Close(); close(closed) }()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		select {
		case <-closed:
		default:
			t.Error("Close waits for a sink that hangs")
		}
		if dropped != 1 {
			t.Errorf("%d dropped, want the one that waited", dropped)
		}
		time.Sleep(2 * time.Minute)
		<-closed
	})
}
