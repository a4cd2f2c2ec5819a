package main

import (
	"io"
	"maps"
	"slices"

	"github.com/VictoriaMetrics/metrics"

	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
	"autodiscover-guard/intercept"
)

// What counts and tells reloads.
var policyStale = console.Series("policy_stale")

func reloadsTotal(result string) string {
	return console.Series("reloads_total", "result", result)
}

// registerMetrics puts the figures of plugin, policy and leaves among the metrics. They are read when somebody asks, all of one answer at one moment. Series
// that count rare things are there with zero from the start: an alert on something that is not there never rings.
func registerMetrics(g *guard, r *reloader, set *metrics.Set) {
	set.RegisterMetricsWriter(func(w io.Writer) {
		s := g.plugin.Stats()
		writeNow(w, s)
		writeSince(w, s)
		g.credentials.writeDoors(w)
		metrics.WriteGaugeUint64(w, console.Series("policy_info", "revision", r.status().Policy), 1)
		leaves := g.authority.Stats()
		metrics.WriteCounterUint64(w, console.Series("leaves_total", "from", "cache"), leaves.Cached)
		metrics.WriteCounterUint64(w, console.Series("leaves_total", "from", "issuer"), leaves.Made)
	})
	for _, result := range []string{"ok", "failed"} {
		set.GetOrCreateCounter(reloadsTotal(result))
	}
	set.GetOrCreateGauge(policyStale, nil)
}

// writeNow writes what is there at the moment.
func writeNow(w io.Writer, s intercept.Stats) {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"connections", s.Connections},
		{"tunnels", s.Tunnels},
		{"clients", s.Clients},
		{"quarantined", s.Quarantined},
	} {
		metrics.WriteGaugeFloat64(w, console.Series(f.name), float64(f.value))
	}
}

// writeSince writes what was counted since the start.
func writeSince(w io.Writer, s intercept.Stats) {
	writeCounts(w, "refused_total", "why", map[string]int64{
		"client not allowed":       s.RefusedClients,
		"limits.connections":       s.RefusedConnections,
		"limits.tunnels":           s.RefusedTunnels,
		"limits.per_client":        s.RefusedPerClient,
		"limits.body":              s.RefusedBodies,
		"limits.lifetime":          s.RetiredTunnels,
		"limits.stall_timeout":     s.StalledConnections,
		"no log-in":                s.RefusedLogins,
		"no PROXY header":          s.RefusedHeaders,
		"quarantine":               s.RefusedQuarantine,
		"loop":                     s.RefusedLoops,
		"ambiguous HTTP/1 request": s.RefusedAmbiguous,
	})
	metrics.WriteCounterUint64(w, console.Series("accept_failures_total"), uint64(max(s.FailedAccepts, 0)))
	writeCounts(w, "handshakes_total", "outcome", s.Handshakes)
	writeCounts(w, "upstream_errors_total", "class", s.UpstreamErrors)
}

func writeCounts(w io.Writer, name, label string, counts map[string]int64) {
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		metrics.WriteCounterUint64(w, console.Series(name, label, word), uint64(max(counts[word], 0)))
	}
}
