package record

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// refusing is a sink that takes nothing.
type refusing struct{}

func (refusing) Put(Record) error { return errors.New("full") }
func (refusing) Reopen() error    { return nil }
func (refusing) Close() error     { return nil }

// What the line about dropped records says while it cannot be written, or is being written, stays in the account.
func TestLedger_settle(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(9, 0)
	for name, c := range map[string]struct{ lost, reporting, want account }{
		"nothing":               {},
		"not taken":             {lost: account{3, early, late}, want: account{3, early, late}},
		"being told":            {reporting: account{2, early, early}, want: account{2, early, early}},
		"being told, with more": {account{3, late, late}, account{2, early, early}, account{5, early, late}},
		"and with older ones":   {account{3, early, early}, account{2, late, late}, account{5, early, late}},
	} {
		core, said := observer.New(zap.InfoLevel)
		l := &ledger{sink: refusing{}, encoder: zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), logger: zap.New(core), lost: c.lost, reporting: c.reporting}
		l.settle()
		if n := said.Len(); n > 0 {
			t.Errorf("%s: said %v", name, said.All())
		}
		all := l.lost
		all.add(l.reporting)
		if all != c.want || l.lost != c.lost {
			t.Errorf("%s: %v is lost and %v being told, want %v together", name, l.lost, l.reporting, c.want)
		}
		l.reportLost()
		if n := said.Len(); n > 0 != (c.want.decisions > 0) {
			t.Errorf("%s: at the end said %v", name, said.All())
		}
	}
}
