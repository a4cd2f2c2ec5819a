package console

import (
	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/cmd/autodiscover-guard/internal/notify"
	"autodiscover-guard/intercept"
)

// Counted counts the decision records that pass to core: autodiscover_guard_decisions_total by action, by what a monitoring rule would have
// done, by dialect, and by rule. The first three are words of short lists and rules are the operator's and the built-in ones, so that no client
// can make series.
func Counted(core zapcore.Core, set *metrics.Set) zapcore.Core { return counted{core, set} }

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
	if e.Message != intercept.EventMessage { // a handshake that failed: intercept.Stats counts it
		return c.Core.Write(e, fields)
	}
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
	c.set.GetOrCreateCounter(Series("decisions_total", "action", action, "would", would, "dialect", dialect, "rule", rule)).Inc()
	return c.Core.Write(e, fields)
}

const droppedTotal = metricPrefix + "log_dropped_total"

// Dropped gives what counts decisions whose record could not be written: autodiscover_guard_log_dropped_total. It is there from the start, so
// that an alarm can tell none from unknown.
func Dropped(set *metrics.Set) func(decisions int) {
	counter := set.GetOrCreateCounter(droppedTotal)
	return func(decisions int) { counter.Add(decisions) }
}

// Notifications gives what counts notifications by what they were about and what became of them: autodiscover_guard_notifications_total.
func Notifications(set *metrics.Set) func(notify.Type, notify.Outcome) {
	return func(kind notify.Type, outcome notify.Outcome) {
		set.GetOrCreateCounter(Series("notifications_total", "type", string(kind), "result", string(outcome))).Inc()
	}
}
