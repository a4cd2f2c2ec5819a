package desktop

import (
	"context"
	"path/filepath"
	"slices"
)

// A profile may be somewhere else when its settings are to be taken back: on a disk that is not mounted, or below another name that profiles.ini has learned of.
// That nothing is there does not say that nothing is left to take back.

const profileGone = "its profile is not there; when it is back: setup off (setup off --force forgets it)"

// gone reports whether the profile of an entry is not there.
func gone(id ID) bool {
	return (id.Kind == kindUserJS || id.Kind == kindPrefsJS) && !exists(filepath.Dir(id.Where))
}

// relocate has the entries of a profile that was moved speak of where it is now: what is put in place anew is taken back there, to what it was before the first time, and what
// is taken back by half is known there the next time, when nothing of ours need be left to know it by.
func (d *Desktop) relocate(ctx context.Context, j *journal) (found bool) {
	for i := range j.Entries {
		e := &j.Entries[i]
		if e.Stage == Restored || !gone(e.Place) {
			continue
		}
		if moved := d.movedTo(ctx, j, *e); moved != nil {
			e.Place, found = moved.id(), true
		}
	}
	return found
}

// movedTo finds the file of an entry whose profile is gone in the one profile that has what was put there, and of which the journal knows nothing; nil where
// there is none, or more than one, of which nobody can say which it was.
func (d *Desktop) movedTo(ctx context.Context, j *journal, e Entry) place {
	another := func(other Entry) bool {
		return other.Place.Kind == e.Place.Kind && other.Place != e.Place && other.Stage != Restored && gone(other.Place)
	}
	if slices.ContainsFunc(j.Entries, another) {
		return nil
	}
	var found []place
	for _, a := range applications(d.config.System.OS) {
		if a.name != e.Place.Name {
			continue
		}
		for _, profile := range d.profiles(a) {
			here := d.userJS(a.name, profile.dir)
			copied := d.prefsJS(a.name, profile.dir)
			if !e.in(ctx, here) && !e.in(ctx, copied) {
				continue
			}
			if e.Place.Kind == kindPrefsJS {
				here = copied
			}
			if j.entry(here.id()) == nil {
				found = append(found, here)
			}
		}
	}
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// in reports whether a file has the values that were put in place, each of them.
func (e *Entry) in(ctx context.Context, p place) bool {
	now, err := p.read(ctx)
	return err == nil && !slices.ContainsFunc(e.After.Values.keys(), func(k string) bool { return !now.Values[k].Set || !e.ours(k, now.Values[k]) })
}
