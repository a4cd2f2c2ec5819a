package main

import (
	"github.com/VictoriaMetrics/metrics"

	"autodiscover-guard/intercept"
)

// watch puts the plugin's figures among the metrics. They are read when somebody asks.
func watch(p *intercept.Plugin, set *metrics.Set) {
	for name, of := range map[string]func(intercept.Stats) int{
		"autodiscover_guard_connections": func(s intercept.Stats) int { return s.Connections },
		"autodiscover_guard_tunnels":     func(s intercept.Stats) int { return s.Tunnels },
		"autodiscover_guard_clients":     func(s intercept.Stats) int { return s.Clients },
		"autodiscover_guard_quarantined": func(s intercept.Stats) int { return s.Quarantined },
	} {
		set.NewGauge(name, func() float64 { return float64(of(p.Stats())) })
	}
	for why, of := range map[string]func(intercept.Stats) int64{
		"client not allowed":       func(s intercept.Stats) int64 { return s.RefusedClients },
		"limits.connections":       func(s intercept.Stats) int64 { return s.RefusedConnections },
		"limits.tunnels":           func(s intercept.Stats) int64 { return s.RefusedTunnels },
		"limits.per_client":        func(s intercept.Stats) int64 { return s.RefusedPerClient },
		"limits.lifetime":          func(s intercept.Stats) int64 { return s.RetiredTunnels },
		"no log-in":                func(s intercept.Stats) int64 { return s.RefusedLogins },
		"no PROXY header":          func(s intercept.Stats) int64 { return s.RefusedHeaders },
		"quarantine":               func(s intercept.Stats) int64 { return s.RefusedQuarantine },
		"loop":                     func(s intercept.Stats) int64 { return s.RefusedLoops },
		"ambiguous HTTP/1 request": func(s intercept.Stats) int64 { return s.RefusedAmbiguous },
	} {
		set.NewGauge(`autodiscover_guard_refused_total{why="`+why+`"}`, func() float64 { return float64(of(p.Stats())) })
	}
	set.NewGauge("autodiscover_guard_accept_failures_total", func() float64 { return float64(p.Stats().FailedAccepts) })
}
