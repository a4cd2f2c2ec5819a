package console

import (
	"strconv"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/zap/zapcore"
)

// Counted counts the decision records that pass to core: autodiscover_guard_decisions_total by action, by what a monitoring rule would have
// done, by dialect, and by rule. The first three are words of short lists and rules are the operator's and the built-in ones, so that no client
// can make series. What could not be written is counted, too, in autodiscover_guard_decisions_lost_total.
func Counted(core zapcore.Core, set *metrics.Set) zapcore.Core {
	set.GetOrCreateCounter(decisionsLost) // there with zero: an alert on what is not there never rings
	return counted{core, set}
}

const decisionsLost = "autodiscover_guard_decisions_lost_total"

type counted struct {
	zapcore.Core
	set *metrics.Set
}

// With implements zapcore.Core.
func (c counted) With(fields []zapcore.Field) zapcore.Core {
	return counted{c.Core.With(fields), c.set}
}

// Check implements zapcore.Core.
func (c counted) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

// Write implements zapcore.Core.
func (c counted) Write(e zapcore.Entry, fields []zapcore.Field) error {
	var action, would, dialect, rule string
	for _, f := range fields {
		switch f.Key {
		case "action":
			action = f.String
		case "would":
			would = f.String
		case "dialect":
			dialect = f.String
		case "rule":
			rule = f.String
		}
	}
	c.set.GetOrCreateCounter(`autodiscover_guard_decisions_total{action=` + strconv.Quote(action) + `,would=` + strconv.Quote(would) +
		`,dialect=` + strconv.Quote(dialect) + `,rule=` + strconv.Quote(rule) + `}`).Inc()
	err := c.Core.Write(e, fields)
	if err != nil {
		c.set.GetOrCreateCounter(decisionsLost).Inc()
	}
	return err
}
