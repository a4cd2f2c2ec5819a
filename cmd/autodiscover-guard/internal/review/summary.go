package review

import (
	"hash/maphash"
	"strings"
)

// Summary is what matters in a log. It implements Consumer, and belongs to one goroutine.
type Summary struct {
	filter Filter

	times       int64 // decisions that the filter lets through
	others      int64 // decisions that it does not
	otherEvents int64
	first, last int64
	actions     [len(actionNames) + 1]int64
	monitored   int64 // decisions of rules that only record

	notStopped, stopped, violated int64 // decisions

	leaks, kept, fresh, clients, pins, shapes  Tally
	dialects, rules, failures, messages        Tally
	policies, authorities, processes, reloaded Tally

	latency map[string]*latencies // by dialect; maxLatencies of them
	overall latencies
	line    timeline
	lost    int64

	known known
	look  leaks
}

// NewSummary makes a summary of what a filter lets through.
func NewSummary(f Filter) *Summary {
	return &Summary{filter: f, latency: make(map[string]*latencies), known: known{seed: maphash.MakeSeed(), hosts: make(map[uint64]struct{})}}
}

// Decision implements Consumer.
func (s *Summary) Decision(r *Record, _ string) {
	if r.At < s.filter.Since {
		s.before(r)
		return
	}
	if !s.filter.Match(r) {
		s.others += r.Times()
		return
	}
	n := r.Times()
	if s.times == 0 {
		s.first, s.last = r.At, r.At
	}
	s.first, s.last = min(s.first, r.At), max(s.last, r.At)
	s.times += n
	b := s.line.bucket(r.At)
	action := actionIndex(r.Action)
	s.actions[action] += n
	b.Actions[action] += n
	seen := sighting{times: n, at: r.At, client: r.Client}
	s.dialects.add(Key{r.Dialect, r.Client}, seen)
	s.rules.add(Key{r.Rule, r.Action, r.Would}, seen)
	s.strangers(r, seen, b)
	s.shape(r, seen)
	s.upstream(r, seen)
	s.changed(r, seen)
	if r.Action == actionTunnel {
		s.clients.add(Key{r.Client, r.Reason, hostAlone(r.Host)}, seen)
	}
	if r.Door == "transparent" || r.Door == "transparent-plain" {
		s.clients.add(Key{r.Client, "does not use the proxy: its traffic was redirected"}, seen)
	}
}

// before takes what happened before the window: it says which strangers are known.
func (s *Summary) before(r *Record) {
	s.others += r.Times()
	s.look.look(r)
	for _, host := range s.look.strangers {
		s.known.add(host)
	}
}

// strangers counts leaks, stopped or not.
func (s *Summary) strangers(r *Record, seen sighting, b *Bucket) {
	l := &s.look
	l.look(r)
	if changes(r.Would) && r.Action == "pass" {
		s.monitored += seen.times
	}
	if l.secrets {
		s.count(&s.leaks, r, l.asked, howSecrets, seen, seen.times)
	}
	var secrets int64
	if r.Credentials.Present && (l.kept && !r.Credentials.Forwarded || l.monitored && r.Credentials.Forwarded) {
		secrets = seen.times
	}
	for _, host := range l.strangers {
		switch {
		case r.Action == actionTunnel:
			s.count(&s.leaks, r, host, howTunnelled, seen, secrets)
		case l.monitored:
			s.count(&s.leaks, r, host, howMonitored, seen, secrets)
		default:
			s.count(&s.kept, r, host, r.Action, seen, secrets)
		}
		if s.filter.Since != 0 && !s.known.has(host) {
			s.count(&s.fresh, r, host, "", seen, secrets)
		}
	}
	switch {
	case l.secrets || l.monitored && len(l.strangers) > 0:
		s.notStopped += seen.times
		b.Leaks += seen.times
	case len(l.strangers) > 0:
		s.stopped += seen.times
	default:
		return
	}
	if isPin(r) {
		s.violated += seen.times
	}
}

// count counts a stranger for each domain that the record is about.
func (s *Summary) count(t *Tally, r *Record, host, how string, seen sighting, secrets int64) {
	seen.secrets = secrets
	subjects := r.Subjects
	if len(subjects) == 0 {
		subjects = noSubject[:]
	}
	for _, domain := range subjects[:min(len(subjects), maxSubjects)] {
		t.add(Key{domain, host, how}, seen)
		if isPin(r) && t != &s.fresh && how != howSecrets {
			state := "stopped"
			if t == &s.leaks {
				state = "not stopped: " + how
			}
			s.pins.add(Key{r.Rule, domain, host, state}, seen)
		}
	}
}

// noSubject stands for the domains of a record that names none.
var noSubject = [...]string{""}

// known are the strangers that were there before the window.
type known struct {
	seed  maphash.Seed
	hosts map[uint64]struct{}
	full  bool
}

// maxKnown bounds what is remembered of strangers from before the window: a hash of each.
const maxKnown = 1 << 18

func (k *known) add(host string) {
	if len(k.hosts) >= maxKnown {
		k.full = true
		return
	}
	k.hosts[maphash.String(k.seed, host)] = struct{}{}
}

func (k *known) has(host string) bool {
	_, ok := k.hosts[maphash.String(k.seed, host)]
	return ok
}

// runOf is the part of an exchange's name that stands for the process.
func runOf(exchange string) string {
	run, _, _ := strings.Cut(exchange, "-")
	return run
}
