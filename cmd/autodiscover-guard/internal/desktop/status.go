package desktop

import (
	"context"
	"maps"
	"slices"
)

// Status says how each place stands, and changes nothing. guardRuns says whether a guard with this journal is running: without one, what
// it put in place for its own time is left over; with one, programs that do not follow a place that is on are told of in its note.
func (d *Desktop) Status(ctx context.Context, guardRuns bool) ([]Result, error) {
	j, unlock, err := d.open(false)
	if err != nil {
		return nil, err
	}
	defer unlock()
	d.relocate(ctx, j)
	var all []Result
	known := map[ID]bool{}
	for _, p := range d.places(ctx, nil, true) {
		known[p.id()] = true
		if e := j.entry(p.id()); e != nil && e.Stage != Restored {
			r := d.compare(ctx, p, *e, j.interrupted(guardRuns))
			if h, ok := p.(effectChecker); ok && r.State == On && guardRuns {
				r.Note = h.ignoredBy(ctx, j.Target.PAC)
			}
			all = append(all, r)
			continue
		}
		if why := p.absent(ctx); why != "" {
			all = append(all, result(p, Absent, "%s", why))
		} else if !follows(p) {
			all = append(all, result(p, Off, ""))
		}
	}
	for _, e := range j.Entries {
		if known[e.Place] || e.Stage == Restored {
			continue
		}
		p, err := d.placeOf(ctx, e.Place)
		if err != nil {
			all = append(all, Result{Name: e.Place.Name, Where: e.Place.Where, State: Failed, Note: err.Error()})
			continue
		}
		r := d.compare(ctx, p, e, j.interrupted(guardRuns))
		if other := d.hiddenBy(e.Place); r.State == On && other != "" && !slices.ContainsFunc(all, func(r Result) bool { return r.Where == other && r.State == On }) {
			r.State, r.Note = Changed, other+" is there by now, and read in its place: setup on"
		}
		all = append(all, r)
	}
	return all, nil
}

// Target is what the settings that are in place were to point at; the zero Target where there are none.
func (d *Desktop) Target() (Target, error) {
	j, unlock, err := d.open(false)
	if err != nil {
		return Target{}, err
	}
	unlock()
	return j.Target, nil
}

// compare says how a place stands, compared with its entry.
func (d *Desktop) compare(ctx context.Context, p place, e Entry, interrupted bool) Result {
	if gone(e.Place) {
		return result(p, Held, profileGone)
	}
	now, err := p.read(ctx)
	if err != nil {
		return result(p, Failed, "%v", err)
	}
	now = e.withGiven(now)
	_, changed, err := undo(ctx, p, now, e, false)
	untouched := maps.Equal(now.Values, e.Before.Values)
	switch {
	case err != nil:
		return result(p, Failed, "%v", err)
	case len(changed) > 0:
		return result(p, Changed, "%s is %s", changed[0], now.Values[changed[0]])
	case e.Stage == Waiting:
		return result(p, Held, "%s has to be closed, then: setup off", e.Place.Name)
	case e.Stage == Intended && untouched:
		return result(p, Off, "")
	case interrupted || e.Stage == Intended:
		return result(p, Left, "setup off, or the guard's next start, takes it back")
	case untouched && !follows(p):
		return result(p, Changed, "somebody has put the previous values back")
	}
	return result(p, On, "")
}
