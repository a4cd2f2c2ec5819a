package main

import (
	"context"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/zap"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

const (
	// authorityLook is how often the authority is refreshed and looked at. The ticker stands still while a laptop sleeps, so what is due is
	// decided by the wall clock, and this is how late it may be noticed after waking up.
	authorityLook = time.Hour
	// authorityRemind is how often a warning that stays true is logged again.
	authorityRemind = 24 * time.Hour
)

// keeper is what an authority has to be told, and what it has to say.
type keeper interface {
	Refresh() error
	Status(now time.Time) certs.Status
}

// watchAuthority keeps the authority up to date and warns in time when somebody has to do that, until ctx ends: at the start, daily, and at
// once when it becomes more pressing.
func watchAuthority(ctx context.Context, a keeper, logger *zap.Logger) {
	tick := time.NewTicker(authorityLook)
	defer tick.Stop()
	var last reminder
	for {
		_ = a.Refresh() // why it did not work is among the warnings
		now := time.Now()
		if warnings := a.Status(now).Warnings; last.due(now, warnings) {
			for _, w := range warnings {
				logger.Warn(messageAuthority, zap.Stringer("pressing", w.Level), zap.String("problem", w.Text), zap.String("cure", w.Cure))
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// messageAuthority is a message to alert on.
const messageAuthority = "the authority needs somebody"

// reminder is when warnings were logged last, and how pressing they were.
type reminder struct {
	at    time.Time // without a monotonic part
	level certs.Level
}

// due reports whether warnings are to be logged now, and takes note of it. A clock that was set back is no reason to be silent.
func (r *reminder) due(now time.Time, warnings []certs.Warning) bool {
	if len(warnings) == 0 {
		*r = reminder{}
		return false
	}
	now = now.Round(0)
	level := warnings[0].Level // the most pressing comes first
	if since := now.Sub(r.at); level <= r.level && since >= 0 && since < authorityRemind {
		return false
	}
	*r = reminder{now, level}
	return true
}

// authorityFigures puts what to alert on among the metrics. They are computed when somebody asks. An end is there twice: days for a person who looks, and the
// moment in the unit and the form in which Prometheus computes.
func authorityFigures(a keeper, set *metrics.Set) {
	for name, end := range map[string]func(certs.Status) time.Time{
		"root":    func(s certs.Status) time.Time { return s.Root.NotAfter },
		"issuing": func(s certs.Status) time.Time { return s.Ends },
	} {
		set.GetOrCreateGauge(console.Series("authority_expiry_days", "certificate", name), func() float64 {
			now := time.Now()
			return end(a.Status(now)).Sub(now).Hours() / 24
		})
		set.GetOrCreateGauge(console.Series("authority_not_after_timestamp_seconds", "certificate", name), func() float64 {
			return float64(end(a.Status(time.Now())).Unix())
		})
	}
	set.GetOrCreateGauge(console.Series("authority_root_key_present"), func() float64 {
		if a.Status(time.Now()).RootKey == certs.KeyAbsent {
			return 0
		}
		return 1
	})
	set.GetOrCreateGauge(console.Series("authority_warnings"), func() float64 { return float64(len(a.Status(time.Now()).Warnings)) })
}
