package desktop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// step is one place on its way.
type step struct {
	place  place
	now    Snapshot
	entry  Entry
	result Result
}

// On puts the places in place. Those that are there already stay as they are, with the previous values that are known of them. The error is one
// that stopped everything, before anything was changed; what happened to a single place is in its result.
func (d *Desktop) On(ctx context.Context, t Target, o Options) ([]Result, error) {
	if err := checkTarget(t, o); err != nil {
		return nil, err
	}
	if err := d.CheckNames(o.Only); err != nil {
		return nil, err
	}
	j, unlock, err := d.open(!o.DryRun)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if o.Session && j.persistent() && j.Target != t {
		return nil, fmt.Errorf("settings that point at %s were put in place to stay: setup off takes them back", j.Target.PAC)
	}
	d.relocate(ctx, j)
	var steps []step
	for _, p := range d.places(ctx, o.Only, o.Environment) {
		steps = append(steps, d.prepare(ctx, p, t, j))
	}
	if !o.DryRun {
		if err := d.applyAll(ctx, j, t, o, steps); err != nil {
			return nil, err
		}
	}
	return results(steps), nil
}

func results(steps []step) []Result {
	all := make([]Result, 0, len(steps))
	for _, s := range steps {
		all = append(all, s.result)
	}
	return all
}

// checkTarget refuses what would break the notation of a place. The URL ends up in quotes of several languages.
func checkTarget(t Target, o Options) error {
	u, err := url.Parse(t.PAC)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(t.PAC, "\"'\\ <>") {
		return fmt.Errorf("%q is not the address of a PAC: want http://HOST:PORT/PATH", t.PAC)
	}
	if (o.Environment || slices.Contains(o.Only, "environment")) && t.Proxy == "" {
		return errors.New("the environment needs the guard's own address, with a port that is the same at every start")
	}
	return nil
}

// prepare works out what a place would hold, without changing it. An entry without a stage is one that has nothing to do.
func (d *Desktop) prepare(ctx context.Context, p place, t Target, j *journal) step {
	if why := p.absent(ctx); why != "" {
		return step{place: p, result: result(p, Absent, "%s", why)}
	}
	now, err := p.read(ctx)
	if err != nil {
		return step{place: p, result: result(p, Failed, "left as it is: %v", err)}
	}
	base, old := now, j.entry(p.id())
	if old != nil {
		now = old.withGiven(now)
		if base, _, err = undo(ctx, p, now, *old, false); err != nil {
			return step{place: p, result: result(p, Failed, "left as it is: %v", err)}
		}
	}
	want := p.wanted(t)
	if before := base.inForce(); old == nil && maps.Equal(overlay(Snapshot{Values: before}, want).Values, before) {
		return step{place: p, result: result(p, On, "it was so before, and setup off leaves it so")}
	}
	if other := foreignGuard(base.Values); other != "" {
		return step{place: p, result: result(p, Failed, "left as it is: another guard's settings are there (%s); take them back with its own setup off", other)}
	}
	e := Entry{Place: p.id(), Stage: Intended, Before: base}
	if follows(p) {
		e.Before, e.After = Snapshot{Values: base.Values}, Snapshot{Values: want}
	} else if e.After, err = p.plan(ctx, base, want); err != nil {
		return step{place: p, result: result(p, Failed, "left as it is: %v", err)}
	}
	if why := unheeded(ctx, p, e.After); why != "" {
		return step{place: p, result: result(p, Failed, "left as it is: %s", why)}
	}
	if !maps.Equal(now.Values, base.Values) && !maps.Equal(now.Values, e.After.Values) {
		e.Earlier = &Snapshot{Values: now.Values}
		if !follows(p) {
			e.Earlier.File = now.File
		}
	}
	s := step{place: p, now: now, entry: e, result: result(p, On, "%s", remark(p, base.inForce()))}
	s.result.Changes = difference(now.Values, e.After.Values)
	return s
}

// remark says what somebody should know who has just put a place in place.
func remark(p place, before Values) string {
	if follows(p) {
		return p.id().Name + " copies user.js into it"
	}
	if dp, ok := p.(displacer); ok {
		if other := dp.displaced(before); other != "" {
			return "in the place of another proxy: " + other
		}
	}
	if k := p.id().Kind; k == kindPolicies || k == kindUserJS {
		return "from the next start of " + p.id().Name
	}
	return ""
}

// foreignGuard finds an address that only a guard has: its path on a loopback address. Whoever takes such a value for the previous one
// would restore it to a guard that is gone.
func foreignGuard(before Values) string {
	for _, k := range before.keys() {
		text := before[k].Text
		if strings.Contains(text, "/proxy.pac") && (strings.Contains(text, "//127.") || strings.Contains(text, "//localhost") || strings.Contains(text, "//[::1]")) {
			return before[k].String()
		}
	}
	return ""
}

// applyAll writes the journal and then the places. Only the journal's failing stops it.
func (d *Desktop) applyAll(ctx context.Context, j *journal, t Target, o Options, steps []step) error {
	session := o.Session && !j.persistent()
	for _, s := range steps {
		if s.entry.Stage != "" {
			j.put(s.entry)
		}
	}
	if len(j.Entries) == 0 {
		return nil
	}
	j.Phase, j.Target, j.Session = phaseApplying, t, session
	if err := j.save(d.config.State, d.disk); err != nil {
		return err
	}
	for i := range steps {
		s := &steps[i]
		if s.entry.Stage == "" {
			continue
		}
		if err := d.apply(ctx, s); err != nil {
			s.result = result(s.place, Failed, "%v", err)
			if now, err := s.place.read(ctx); err == nil && now.equal(s.entry.Before) {
				if f, ok := s.place.(file); ok {
					f.removeLeftovers(s.entry.Before.File)
				}
				j.drop(s.place.id()) // nothing has come of it
			}
			continue
		}
		j.entry(s.place.id()).Stage = Applied
		if err := j.save(d.config.State, d.disk); err != nil {
			return err
		}
	}
	j.Phase = phaseApplied
	return j.save(d.config.State, d.disk)
}

// apply writes one place and reads it back, because some programs report success and write nothing.
func (d *Desktop) apply(ctx context.Context, s *step) error {
	if follows(s.place) {
		return nil
	}
	return d.write(ctx, s.place, s.now, s.entry.After)
}

func (d *Desktop) write(ctx context.Context, p place, now, then Snapshot) error {
	if now.equal(then) {
		return nil
	}
	if err := p.write(ctx, now, then); err != nil {
		return err
	}
	got, err := p.read(ctx)
	if err != nil {
		return fmt.Errorf("reading back: %w", err)
	}
	if maps.Equal(got.Values, then.Values) {
		return nil
	}
	var lost []string
	for _, c := range difference(got.Values, then.Values) {
		lost = append(lost, c.Key+" is "+c.Was+", want "+c.Now)
	}
	return errors.New("the settings did not stay: " + strings.Join(lost, "; "))
}
