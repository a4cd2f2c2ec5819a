package record_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

var tenASecond = record.Rate{Count: 10, Per: time.Second}

// The loop that was seen: one question, 700 times a second, for ever. It must cost a record a window, and the totals must stay true.
func TestRepeat_loop(t *testing.T) {
	for _, second := range []int{700, 20} {
		synctest.Test(t, func(t *testing.T) { testRepeatLoop(t, second) })
	}
}

func testRepeatLoop(t *testing.T, second int) {
	t.Helper()
	var sink faulty
	log, decisions := newLog(&sink, tenASecond, nil)
	minute := second * 60
	for n := range minute {
		decide(decisions, "192.0.2.1", "/autodetect/detect", n)
		time.Sleep(time.Second / time.Duration(second))
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	entries := sink.read(t)
	if got, _ := total(entries); got != minute {
		t.Errorf("the records stand for %d decisions, want %d", got, minute)
	}
	if len(entries) > 10+60+1 {
		t.Errorf("%d records for a minute, want 10, and one for each second", len(entries))
	}
	for _, e := range entries[10:] {
		if e.Repeat < 1 || e.Exchange == "" {
			t.Errorf("a held record without its number or its exchange: %+v", e)
		}
	}
}

// A process that is killed has written all that is older than a second: what repeats is missing for that long at most.
func TestRepeat_killed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink faulty
		log, decisions := newLog(&sink, tenASecond, nil)
		decided := 0
		burst := func(n int) {
			for range n {
				decide(decisions, "192.0.2.1", "/autodetect/detect", decided)
				decided++
			}
		}
		for second := range 25 {
			before := decided
			burst(60)
			time.Sleep(time.Second)
			synctest.Wait()
			if got, _ := total(sink.read(t)); got < before || second == 0 && got != decided {
				t.Errorf("after %d s the records stand for %d decisions, want the %d of the seconds before", second+1, got, before)
			}
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if got, _ := total(sink.read(t)); got != decided {
			t.Errorf("the records stand for %d decisions, want %d", got, decided)
		}
	})
}

// What stays below the rate is written one by one, at once, and a burst's rest after a window.
func TestRepeat_rate_and_window(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink faulty
		log, decisions := newLog(&sink, tenASecond, nil)
		for n := range 100 { // just the rate
			decide(decisions, "192.0.2.1", "/", n)
			time.Sleep(100 * time.Millisecond)
		}
		if got := len(sink.read(t)); got != 100 {
			t.Fatalf("%d records below the rate, want 100", got)
		}
		for n := range 15 {
			decide(decisions, "192.0.2.1", "/burst", n)
		}
		begun := time.Now()
		time.Sleep(record.Window - time.Millisecond)
		synctest.Wait()
		if got := len(sink.read(t)); got != 110 {
			t.Fatalf("%d records before the window ends, want 110", got)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		entries := sink.read(t)
		last := entries[len(entries)-1]
		if len(entries) != 111 || last.Repeat != 5 || last.Exchange != "run-10" || !last.Time.Equal(begun) {
			t.Fatalf("%d records, the last %+v; want 111, with the first of the 5 held", len(entries), last)
		}
		time.Sleep(9 * record.Window) // the spell as a whole was below the rate: it begins anew
		synctest.Wait()
		for n := range 10 {
			decide(decisions, "192.0.2.1", "/burst", n)
		}
		decide(decisions, "192.0.2.1", "/burst", 10) // held alone
		time.Sleep(record.Window)
		synctest.Wait()
		entries = sink.read(t)
		if got, _ := total(entries); len(entries) != 122 || got != 126 || entries[121].Repeat != 0 {
			t.Errorf("%d records for %d decisions, want 122 for 126, the last without repeat: %+v", len(entries), got, entries[121])
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// Any difference but time, exchange, duration and size makes another decision: another client, another place, another level.
func TestRepeat_identity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink faulty
		log, decisions := newLog(&sink, record.Rate{Count: 1, Per: time.Hour}, nil)
		with := decisions.With(zap.String("instance", "b"))
		vary := []func(n int){
			func(n int) { decide(decisions, "192.0.2.1", "/", n) },
			func(n int) { decide(decisions, "192.0.2.2", "/", n) },
			func(n int) { decide(decisions, "192.0.2.1", "/x", n) },
			func(n int) { decide(with, "192.0.2.1", "/", n) },
			func(n int) { decisions.Info("decision", zap.Int("took_ms", n), zap.Int("status", 200)) },
			func(n int) { decisions.Warn("decision", zap.Int("took_ms", n), zap.Int("status", 200)) },
			func(n int) { decisions.Info("decision", zap.Int("took_ms", n), zap.Int("status", 502)) },
		}
		for n := range 3 {
			for _, v := range vary {
				v(n)
			}
		}
		if err := log.Reopen(); err != nil { // as logrotate has it: what is held belongs into the old file
			t.Fatal(err)
		}
		entries := sink.read(t)
		if len(entries) != 2*len(vary) {
			t.Fatalf("%d records, want one and one for two, of each of %d", len(entries), len(vary))
		}
		if got := bytes.Count(sink.text.Bytes(), []byte(`"instance":"b"`)); got != 2 {
			t.Errorf("%d records say what their logger does, want 2", got)
		}
		for _, e := range entries[len(vary):] {
			if e.Repeat != 2 {
				t.Errorf("got %+v, want a repeat of 2", e)
			}
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			decide(decisions, "192.0.2.1", "/", n)
		}
		if got, _ := total(sink.read(t)); got != 3*len(vary)+3 {
			t.Errorf("after Close a record was held: %d", got)
		}
	})
}

// More different decisions than are remembered, and larger ones than may be held: what has to make room is written with its number.
func TestRepeat_overflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ different, length int }{{4500, 1}, {145, 60_000}} {
			var sink faulty
			log, decisions := newLog(&sink, record.Rate{Count: 1, Per: time.Hour}, nil)
			pad := strings.Repeat("x", c.length)
			for n := range 3 * c.different {
				decide(decisions, "192.0.2.1", fmt.Sprint("/", pad, n/3), n)
			}
			if before := bytes.Count(sink.text.Bytes(), []byte{'\n'}); before <= c.different {
				t.Errorf("nothing had to make room: %d", before)
			}
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			// Taking all that apart would take much longer than writing it.
			lines, twos := bytes.Count(sink.text.Bytes(), []byte{'\n'}), bytes.Count(sink.text.Bytes(), []byte(`,"repeat":2}`))
			if lines != 2*c.different || twos != c.different {
				t.Errorf("%d records, %d of them for two; want %d and %d", lines, twos, 2*c.different, c.different)
			}
		}
	})
}

// The property: whatever comes in whatever order from whomever, while files are reopened and the disk fills up and is cleared, no decision is
// lost and none is counted twice.
func TestRepeat_totals_stay_true(t *testing.T) {
	for round := range 8 {
		rng := rand.New(rand.NewPCG(uint64(round), 7))
		var sink faulty
		var dropped atomic.Int64
		log := record.New(record.Config{
			Sink: &sink, Encoder: encoder(), Repeat: record.Rate{Count: 1 + rng.IntN(20), Per: time.Duration(1+rng.IntN(20)) * time.Millisecond},
			Dropped: func(n int) { dropped.Add(int64(n)) }, Queue: rng.IntN(2) * 10000,
		})
		decisions := zap.New(log.Core())
		var written atomic.Int64
		var clients, others sync.WaitGroup
		for client := range 8 {
			paths := 1 + rng.IntN(12)
			clients.Go(func() {
				for n := range 100 {
					decide(decisions, fmt.Sprint("192.0.2.", client%4), fmt.Sprint("/", n%paths), n)
					written.Add(1)
				}
			})
		}
		done := make(chan struct{})
		others.Go(func() {
			tick := time.NewTicker(100 * time.Microsecond)
			defer tick.Stop()
			for full := false; ; full = !full {
				select {
				case <-done:
					sink.setFull(false)
					return
				case <-tick.C:
				}
				sink.setFull(full)
				if err := log.Reopen(); err != nil {
					t.Error(err)
				}
			}
		})
		clients.Wait()
		close(done)
		others.Wait()
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		got, told := total(sink.read(t))
		if int64(got)+dropped.Load() != written.Load() || int64(told) != dropped.Load() {
			t.Fatalf("round %d: the records stand for %d, %d were dropped (the log says %d): want %d together", round, got, dropped.Load(), told, written.Load())
		}
	}
}

// What a record points at may change as soon as Write has returned: the exchange goes on.
func TestRepeat_keeps_what_was_written(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink faulty
		log, decisions := newLog(&sink, record.Rate{Count: 1, Per: time.Hour}, nil)
		upstream := &pair{present: true}
		marshal := zapcore.ObjectMarshalerFunc(func(e zapcore.ObjectEncoder) error { return upstream.MarshalLogObject(e) })
		for range 2 {
			decisions.Info("decision", zap.Object("upstream", marshal))
		}
		*upstream = pair{}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if text := sink.text.String(); strings.Count(text, `"present":true`) != 2 {
			t.Errorf("got %s", text)
		}
	})
}

// Who is shown the records sees each that goes to the sink, whole, and before the sink may fail.
func TestLog_shown(t *testing.T) {
	var shown []string
	log := record.New(record.Config{
		Sink: &faulty{full: true}, Encoder: encoder(), Repeat: record.Rate{Count: 1, Per: time.Hour},
		Shown: func(r record.Record) { shown = append(shown, fmt.Sprintf("%d %s", r.Count, r.Line)) },
	})
	logger := zap.New(log.Core())
	for range 4 {
		logger.Info("decision", zap.String("exchange", "1"))
	}
	log.Flush()
	_ = log.Close()
	if len(shown) != 2 || !strings.HasPrefix(shown[0], "1 {") || !strings.HasPrefix(shown[1], "3 {") || !strings.HasSuffix(shown[1], `"repeat":3}`+"\n") {
		t.Errorf("shown: %q", shown)
	}
}
