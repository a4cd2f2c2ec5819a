package review

import (
	"slices"
	"strings"
)

// maxLatencies bounds the dialects of which latencies are counted apart; there are far fewer.
const maxLatencies = 24

// Words that a record may hold. A new one means that this program is older than the guard that wrote it, and its summary may be incomplete.
var (
	knownWould    = [...]string{"", "pass", "edit", "refuse", "answer"}
	knownVerdicts = [...]string{"keep", "rewrite", "remove", "unjudged"}
)

// unreadablePrefix begins the reason of a record whose answer could not be read (package rules).
const unreadablePrefix = "the answer cannot be read"

// countShapes counts what does not look as expected: a service may have changed its answers, or a record its words.
func (s *Summary) countShapes(r *Record, seen sighting) {
	host := stripPort(r.Host)
	if r.Dialect == "suspected" {
		s.shapes.add(Key{"reads like discovery, of no known shape", r.Dialect, host, r.Reason}, seen)
	}
	reason := strings.TrimPrefix(r.Reason, "monitored only: ")
	if r.Level == "error" || strings.HasPrefix(reason, unreadablePrefix) {
		s.shapes.add(Key{"guarded, and could not be read", r.Dialect, host, reason}, seen)
	}
	if r.Action != actionTunnel && actionIndex(r.Action) == len(actionNames) {
		s.shapes.add(Key{"record with an unknown word", "action", r.Action}, seen)
	}
	if !slices.Contains(knownWould[:], r.Would) {
		s.shapes.add(Key{"record with an unknown word", "would", r.Would}, seen)
	}
	for i := range r.Suggestions {
		if v := r.Suggestions[i].Verdict; !slices.Contains(knownVerdicts[:], v) {
			s.shapes.add(Key{"record with an unknown word", "verdict", v}, seen)
			break
		}
	}
}

// countUpstream counts how long it took, and what failed.
func (s *Summary) countUpstream(r *Record, seen sighting) {
	s.overall.add(r.TookMS, seen.times)
	l := s.latency[r.Dialect]
	if l == nil {
		name := strings.Clone(clip(r.Dialect))
		if len(s.latency) >= maxLatencies {
			name = "others"
		}
		if l = s.latency[name]; l == nil {
			l = new(latencies)
			s.latency[name] = l
		}
	}
	l.add(r.TookMS, seen.times)
	if r.Upstream.Error != "" {
		s.failures.add(Key{r.Upstream.Error, r.Upstream.Check, stripPort(r.Host)}, seen)
	}
}

// countChanges notes when policies, authorities and processes were there first and last.
func (s *Summary) countChanges(r *Record, seen sighting) {
	seen.client = ""
	s.policies.add(Key{"policy", r.Policy}, seen)
	if r.Authority != "" {
		s.authorities.add(Key{"authority", r.Authority}, seen)
	}
	s.processes.add(Key{"process", processOf(r.Exchange)}, seen)
}

// Messages of the guard's life that the summary knows (packages intercept and main).
const (
	messageHandshakeFailed  = "handshake failed"
	messageHandshakeRefused = "handshake refused"
	// A record of its own tells the same among the decisions, since there is one; the messages then say that they are recorded.
	messageHandshake = "handshake"
	messageReloaded  = "policy reloaded"
	// The first stands among the decisions; the second in the guard's own log, where the first could not be written.
	messageDropped       = "records dropped"
	messageDroppedUnsaid = "decision records were dropped, and the log does not say so"
	messageNotReloaded   = "the configuration was not reloaded; the policy in force stays"
)

// Outcomes of handshakes: the guard turned the client away; the client does not trust its authority; it went away, as programs built on GIO (glib-networking 2.74)
// do without an alert where they do not trust it.
const (
	outcomeRefused   = "refused"
	outcomeUntrusted = "untrusted"
	outcomeGone      = "gone"
)

// Event implements Consumer.
func (s *Summary) Event(e *Event, _ string) {
	if e.At != 0 && !s.filter.inTime(e.At) || !s.filter.event(e) {
		s.otherEvents++
		return
	}
	seen := sighting{times: max(e.Repeat, 1), at: e.At, client: e.Client}
	switch e.Message {
	case messageHandshake:
		what := messageHandshakeFailed
		switch e.Outcome {
		case outcomeRefused:
			what = messageHandshakeRefused
		case outcomeUntrusted, outcomeGone:
			s.distrusts += seen.times
		}
		s.clients.add(Key{e.Client, what + ": " + e.Reason, e.Host}, seen)
	case messageHandshakeFailed, messageHandshakeRefused:
		if e.Recorded {
			return
		}
		s.clients.add(Key{e.Client, e.Message + ": " + e.Reason, e.Host}, seen)
	case messageReloaded:
		s.reloaded.add(Key{"policy reloaded", e.Policy}, seen)
	case messageNotReloaded:
		s.reloaded.add(Key{"policy not reloaded", e.Error}, seen)
	case messageDropped, messageDroppedUnsaid:
		s.lost += e.Dropped
	default:
		if e.Level == "warn" || e.Level == "error" {
			s.messages.add(Key{e.Message, e.Level}, seen)
		}
	}
}
