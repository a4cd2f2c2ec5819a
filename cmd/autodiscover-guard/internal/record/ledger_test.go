package record_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

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
		at := time.Now().UTC().Format(time.RFC3339Nano)
		decide(decisions, "192.0.2.1", "/", 8)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if want := `the log does not say so","dropped":1,"from":"` + at + `","to":"` + at + `"`; !strings.Contains(life.String(), want) {
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
		if decide(decisions, "192.0.2.1", "/", 11); dropped != 8 {
			t.Errorf("%d dropped, want what came after the end, too", dropped)
		}
	})
}

func TestQueue_gives_up_at_the_end(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &hanging{gate: make(chan struct{})}
		dropped := 0
		var life bytes.Buffer
		logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoder()), zapcore.Lock(zapcore.AddSync(&life)), zap.InfoLevel))
		log := record.New(record.Config{Sink: sink, Encoder: encoder(), Queue: 3, Dropped: func(n int) { dropped += n }, Logger: logger})
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
		synctest.Wait()
		if !strings.Contains(life.String(), "the log does not say so") {
			t.Errorf("a loss at the end is not said: %s", life.String())
		}
	})
}

// stepping is a sink that says when it was entered, and hangs until it is let go.
type stepping struct {
	hanging
	entered chan struct{}
}

func (s *stepping) Put(r record.Record) error {
	s.entered <- struct{}{}
	return s.hanging.Put(r)
}

// A sink that hangs once more, in the very line that says what it did not take, holds nobody up either, and in the end all was written or told.
func TestQueue_hangs_while_it_tells(t *testing.T) {
	sink := &stepping{hanging{gate: make(chan struct{})}, make(chan struct{})}
	dropped := 0
	log := record.New(record.Config{Sink: sink, Encoder: encoder(), Queue: 1, Dropped: func(n int) { dropped += n }})
	decisions := zap.New(log.Core())
	decide(decisions, "192.0.2.1", "/", 0)
	<-sink.entered
	for n := range 3 { // one waits
		decide(decisions, "192.0.2.1", "/", n)
	}
	sink.gate <- struct{}{}
	<-sink.entered // with the line
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		decide(decisions, "192.0.2.1", "/", 4)
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("who decides waits")
	}
	close(sink.gate)
	go func() {
		for range sink.entered { // nobody asks any more
		}
	}()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	close(sink.entered)
	if got, told := total(sink.read(t)); got != 2 || told != 3 || dropped != 3 {
		t.Errorf("%d written, %d told of %d dropped; want 2, and 3 of 3", got, told, dropped)
	}
}

// endless is a writer that never returns before it is closed.
type endless struct{ entered, closed chan struct{} }

func (e endless) Write(p []byte) (int, error) {
	close(e.entered)
	<-e.closed
	return len(p), nil
}

// Whoever closes a stream does not wait for what nobody reads.
func TestStream_closes_while_it_hangs(t *testing.T) {
	w := endless{make(chan struct{}), make(chan struct{})}
	sink := record.Stream(w)
	written := make(chan struct{})
	go func() {
		defer close(written)
		_ = sink.Put(record.Record{Line: []byte("{}\n")})
	}()
	<-w.entered
	ended := make(chan error)
	go func() { ended <- sink.Close() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("closing waits")
	}
	close(w.closed)
	<-written
	if err := sink.Put(record.Record{Line: []byte("{}\n")}); err == nil {
		t.Error("a closed sink takes records")
	}
}

// A log for people is lines, and says in other words what was dropped: review takes nothing in it for decisions.
func TestLog_console(t *testing.T) {
	var sink faulty
	log := record.New(record.Config{Sink: &sink, Encoder: encoder(), Console: true})
	logger := zap.New(log.Core())
	sink.setFull(true)
	logger.Info("one")
	sink.setFull(false)
	logger.Info("two")
	if text := sink.text.String(); strings.HasPrefix(text, "{") || !strings.Contains(text, "\tlines dropped\t") {
		t.Errorf("got %s", text)
	}
	closeLog(t, log)
}
