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
	distrusts                     int64 // handshakes

	openLeaks, stoppedLeaks, newStrangers, clients, pins, shapes Tally
	dialects, rules, failures, messages                          Tally
	policies, authorities, processes, reloaded                   Tally

	latency map[string]*latencies // by dialect; maxLatencies of them
	overall latencies
	line    timeline
	lost    int64

	known knownHosts
	leak  leakCheck
}

// NewSummary makes a summary of what a filter lets through.
func NewSummary(f Filter) *Summary {
	return &Summary{filter: f, latency: make(map[string]*latencies), known: knownHosts{seed: maphash.MakeSeed(), hosts: make(map[uint64]struct{})}}
}

// Decision implements Consumer.
func (s *Summary) Decision(r *Record, _ string) {
	if r.At < s.filter.Since {
		s.rememberStrangers(r)
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
	s.countStrangers(r, seen, b)
	s.countShapes(r, seen)
	s.countUpstream(r, seen)
	s.countChanges(r, seen)
	if r.Action == actionTunnel {
		s.clients.add(Key{r.Client, r.Reason, stripPort(r.Host)}, seen)
	}
	if r.Door == "transparent" || r.Door == "transparent-plain" {
		s.clients.add(Key{r.Client, "does not use the proxy: its traffic was redirected"}, seen)
	}
}

// rememberStrangers takes what happened before the window: it says which strangers are known.
func (s *Summary) rememberStrangers(r *Record) {
	s.others += r.Times()
	s.leak.check(r)
	for _, host := range s.leak.strangers {
		s.known.add(host)
	}
}

// countStrangers counts leaks, stopped or not.
func (s *Summary) countStrangers(r *Record, seen sighting, b *Bucket) {
	l := &s.leak
	l.check(r)
	if changes(r.Would) && r.Action == "pass" {
		s.monitored += seen.times
	}
	if l.secrets {
		s.countStranger(&s.openLeaks, r, l.asked, howSecrets, seen, seen.times)
	}
	var secrets int64
	if r.Credentials.Present && (l.kept && !r.Credentials.Forwarded || l.monitored && r.Credentials.Forwarded) {
		secrets = seen.times
	}
	for _, host := range l.strangers {
		switch {
		case r.Action == actionTunnel:
			s.countStranger(&s.openLeaks, r, host, howTunnelled, seen, secrets)
		case l.monitored:
			s.countStranger(&s.openLeaks, r, host, howMonitored, seen, secrets)
		default:
			s.countStranger(&s.stoppedLeaks, r, host, r.Action, seen, secrets)
		}
		if s.filter.Since != 0 && !s.known.has(host) {
			s.countStranger(&s.newStrangers, r, host, "", seen, secrets)
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

// countStranger counts a stranger for each domain that the record is about.
func (s *Summary) countStranger(t *Tally, r *Record, host, how string, seen sighting, secrets int64) {
	seen.secrets = secrets
	subjects := r.Subjects
	if len(subjects) == 0 {
		subjects = noSubject[:]
	}
	for _, domain := range subjects[:min(len(subjects), maxSubjects)] {
		t.add(Key{domain, host, how}, seen)
		if isPin(r) && t != &s.newStrangers && how != howSecrets {
			state := "stopped"
			if t == &s.openLeaks {
				state = "not stopped: " + how
			}
			s.pins.add(Key{r.Rule, domain, host, state}, seen)
		}
	}
}

// noSubject stands for the domains of a record that names none.
var noSubject = [...]string{""}

// knownHosts are the strangers that were there before the window.
type knownHosts struct {
	seed  maphash.Seed
	hosts map[uint64]struct{}
	full  bool
}

// maxKnown bounds what is remembered of strangers from before the window: a hash of each.
const maxKnown = 1 << 18

func (k *knownHosts) add(host string) {
	if len(k.hosts) >= maxKnown {
		k.full = true
		return
	}
	k.hosts[maphash.String(k.seed, host)] = struct{}{}
}

func (k *knownHosts) has(host string) bool {
	_, ok := k.hosts[maphash.String(k.seed, host)]
	return ok
}

// processOf is the part of an exchange's name that stands for the process.
func processOf(exchange string) string {
	run, _, _ := strings.Cut(exchange, "-")
	return run
}
