package record

import (
	"testing"

	"github.com/coreos/go-systemd/v22/journal"
	"go.uber.org/zap/zapcore"
)

// A record's keys and values as the journal has them, and what journalctl shows.
func TestJournalFields(t *testing.T) {
	const decision = `"action":"pass","dialect":"pox","host":"h.test","subjects":["a.test","b.test"],"client":"192.0.2.1","reason":"because"`
	for line, want := range map[string]string{
		`{` + decision + `}`:                                                    "pass pox of h.test about a.test b.test for 192.0.2.1: because",
		`{` + decision + `,"would":"refuse","repeat":12}`:                       "pass (would refuse) pox of h.test about a.test b.test for 192.0.2.1: because (12 times)",
		`{"outcome":"refused","client":"c","host":"h","reason":"r","repeat":2}`: "message refused of c for h: r (2 times)",
		`{"dropped":17}`: "message: 17",
	} {
		fields, err := journalFields([]byte(line + "\n"))
		if got := summary(Record{Message: "message"}, fields); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", line, got, err, want)
		}
	}
	fields, err := journalFields([]byte(`{"AaZ-z_09:/@[{é":12345678,"none":null,"in":{"ner":true},"mixed":["a",1],"empty":[]}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"AAZ_Z_09______": "12345678", "NONE": "", "IN_NER": "true", "MIXED": `["a",1]`, "EMPTY": "",
	} {
		if got, there := fields[FieldPrefix+name]; got != want || !there {
			t.Errorf("%s: got %q, %v; want %q in %v", name, got, there, want, fields)
		}
	}
	if _, err := journalFields([]byte("torn")); err == nil {
		t.Error("what is no JSON was taken apart")
	}
	if err := new(journald).Put(Record{Line: []byte("torn")}); err == nil {
		t.Error("and sent")
	}
	if !journal.Enabled() {
		if _, err := OpenJournald(); err == nil {
			t.Error("a journal was opened that is not there")
		}
		if err := new(journald).Put(Record{Line: []byte("{}\n")}); err == nil {
			t.Error("nobody took a record, and nobody hears of it")
		}
	}
	for level, want := range map[zapcore.Level]journal.Priority{
		zapcore.DebugLevel: journal.PriDebug, zapcore.InfoLevel: journal.PriInfo, zapcore.WarnLevel: journal.PriWarning, zapcore.ErrorLevel: journal.PriErr,
		zapcore.FatalLevel: journal.PriErr,
	} {
		if got := priority(level); got != want {
			t.Errorf("%v: got %v, want %v", level, got, want)
		}
	}
}
