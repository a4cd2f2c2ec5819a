package record

import (
	"testing"
	"testing/synctest"
	"time"
)

// Nothing is left of what was held and has been written, and what is written are records.
func TestRepeats_leaveNothing(t *testing.T) {
	for name, end := range map[string]func(*repeats){
		"flushed": (*repeats).flush,
		"closed":  (*repeats).close,
		"expired": func(*repeats) { time.Sleep(2 * holdTime) },
	} {
		synctest.Test(t, func(t *testing.T) {
			stand := 0
			r := newRepeats(Rate{1, time.Second}, func(r Record) {
				if stand += r.Count; len(r.Line) == 0 || r.Count == 0 {
					t.Errorf("%s: %+v was written", name, r)
				}
			})
			for range 4 {
				if _, err := r.hold(identity{1, 2}, func() (Record, error) { return Record{Line: []byte("{}\n"), Count: 1}, nil }); err != nil {
					t.Fatal(err)
				}
			}
			end(r)
			synctest.Wait()
			if stand != 3 || len(r.known) != 0 || r.recent.Len() != 0 || r.holding.Len() != 0 || r.bytes != 0 || r.timer != nil {
				t.Errorf("%s: for %d decisions, and left are %d, %d, %d, %d bytes, %v", name, stand, len(r.known), r.recent.Len(), r.holding.Len(), r.bytes, r.timer)
			}
			r.close()
		})
	}
}

// A log for people has no object at the end of its lines where nothing was said with them.
func TestRepeated(t *testing.T) {
	for line, want := range map[string]string{
		`{"msg":"decision"}`:          `{"msg":"decision","repeat":12}`,
		`now  decision`:               `now  decision  {"repeat":12}`,
		`now  decision  {"host":"h"}`: `now  decision  {"host":"h","repeat":12}`,
	} {
		if got := string(repeated([]byte(line+"\n"), 12)); got != want+"\n" {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}
