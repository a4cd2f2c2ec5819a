package desktop

import (
	"context"
	"slices"
	"strings"
)

// Off takes everything back, whatever a crash may have left, and reports what somebody has changed meanwhile. It is done when every result is
// Good, and can be called again.
func (d *Desktop) Off(ctx context.Context, o Options) ([]Result, error) {
	j, unlock, err := d.open(!o.DryRun)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if !o.DryRun {
		d.disk.clear(journalPath(d.config.State))
	}
	return d.restoreAll(ctx, j, o, func(Entry) bool { return true })
}

// Recover is for a guard that starts: it takes back what an interrupted command, or a guard that was to take its settings back, has left.
// Settings that were put in place to stay do stay. No other guard may be running with the same journal.
func (d *Desktop) Recover(ctx context.Context) ([]Result, error) {
	if name := journalPath(d.config.State); !exists(name, name+temporarySuffix) {
		return nil, nil
	}
	j, unlock, err := d.open(true)
	if err != nil {
		return nil, err
	}
	defer unlock()
	d.disk.clear(journalPath(d.config.State))
	interrupted := j.interrupted(false)
	return d.restoreAll(ctx, j, Options{}, func(e Entry) bool { return e.Stage == Waiting || interrupted && e.Stage != Kept })
}

// End is for a guard that ends: it takes back what the guard has put in place for its own time, unless somebody has made that stay.
func (d *Desktop) End(ctx context.Context) ([]Result, error) {
	j, unlock, err := d.open(true)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if !j.Session {
		return nil, nil
	}
	return d.restoreAll(ctx, j, Options{}, func(e Entry) bool { return e.Stage != Kept })
}

// restoreAll restores the entries that are meant, the last one first. The journal follows each step, where there is room for it: an entry that has been
// restored is restored once more without harm, and what is taken back on a full disk may be what makes room.
func (d *Desktop) restoreAll(ctx context.Context, j *journal, o Options, meant func(Entry) bool) ([]Result, error) {
	moved := d.relocate(ctx, j)
	todo := j.todo(meant)
	if len(todo) == 0 && j.Phase == phaseApplied {
		return nil, nil
	}
	if !o.DryRun && len(todo) > 0 && (moved || j.Phase != phaseRestoring) {
		j.Phase = phaseRestoring
		_ = j.save(d.config.State, d.disk)
	}
	var all []Result
	for _, id := range todo {
		e := j.entry(id)
		r, stage := d.restore(ctx, *e, o)
		all = append(all, r)
		if o.DryRun || stage == e.Stage {
			continue
		}
		e.Stage = stage
		_ = j.save(d.config.State, d.disk)
	}
	if o.DryRun {
		return all, nil
	}
	j.Session = false // what is left waits, or was kept: that is no session any more
	if !slices.ContainsFunc(all, func(r Result) bool { return r.State == Failed }) {
		j.Phase = phaseApplied
	}
	return all, j.save(d.config.State, d.disk)
}

// todo are the entries that are meant, the last one first, but for what a program fills from another place: that comes after it, or a program that is started in
// between would fill it once more.
func (j *journal) todo(meant func(Entry) bool) (todo []ID) {
	var after []ID
	for _, e := range slices.Backward(j.Entries) {
		switch {
		case e.Stage == Restored || !meant(e):
		case e.Place.Kind == kindPrefsJS:
			after = append(after, e.Place)
		default:
			todo = append(todo, e.Place)
		}
	}
	return append(todo, after...)
}

// restore takes one place back, and says at which stage its entry is then.
func (d *Desktop) restore(ctx context.Context, e Entry, o Options) (Result, Stage) {
	p, err := d.placeOf(ctx, e.Place)
	if err != nil {
		return Result{Name: e.Place.Name, Where: e.Place.Where, State: Failed, Note: err.Error()}, e.Stage
	}
	if gone(e.Place) {
		if !o.Force {
			return result(p, Held, profileGone), Waiting
		}
		return result(p, Off, "its profile is not there: forgotten"), Restored // nothing is written where nothing is
	}
	if why := busy(p); why != "" {
		return result(p, Held, "%s; close it, then: setup off", why), Waiting
	}
	now, err := p.read(ctx)
	if err != nil {
		return result(p, Failed, "not restored: %v", err), e.Stage
	}
	now = e.withGiven(now)
	then, changed, err := undo(ctx, p, now, e, o.Force)
	if err != nil {
		return result(p, Failed, "not restored: %v", err), e.Stage
	}
	r, stage := result(p, Off, ""), Restored
	if len(changed) > 0 {
		var is []string
		for _, k := range changed {
			is = append(is, k+" is "+now.Values[k].String())
		}
		r, stage = result(p, Changed, "left alone: %s; setup off --force restores it", strings.Join(is, ", ")), Kept
	}
	r.Changes = difference(now.Values, then.Values)
	if o.DryRun {
		return r, e.Stage
	}
	if err := d.write(ctx, p, now, then); err != nil {
		return result(p, Failed, "not restored: %v", err), e.Stage
	}
	if f, ok := p.(file); ok {
		f.removeLeftovers(e.Before.File)
	}
	return r, stage
}
