package truststore

import (
	"context"
	"fmt"
	"os"
	"slices"
)

// Uninstall takes the root out of every place of the named stores where it is, whoever put it there.
func (s *Stores) Uninstall(ctx context.Context, names ...string) []Report {
	return s.inTurn(ctx, func() []Report { return append(s.each(ctx, names, s.uninstall), s.forgetGone(ctx, names)...) })
}

// PlanUninstall says what [Stores.Uninstall] would do, and changes nothing.
func (s *Stores) PlanUninstall(ctx context.Context, names ...string) []Report {
	return s.each(ctx, names, func(_ context.Context, p place, r Report, found finding) Report {
		if !found.present && !found.leftover {
			r.Status, r.Verified, r.Note = Absent, found.how, ""
			return r
		}
		if back, _ := s.restorable(p); back != nil && !p.programFirst {
			return s.plan(p, r, back.steps())
		}
		return s.plan(p, r, p.take(found))
	})
}

// uninstall takes the root out of one place.
func (s *Stores) uninstall(ctx context.Context, p place, r Report, found finding) Report {
	if s.Admin || !p.admin {
		for _, file := range p.files {
			clearUnfinished(file)
		}
	}
	if !found.present && !found.leftover && !r.Recorded {
		r.Status, r.Verified, r.Note = Absent, found.how, ""
		if err := s.journal.clear(p.store, p.path); err != nil {
			return r.fail(err.Error())
		}
		return r
	}
	if !found.present && !found.leftover {
		r.Status, r.Verified, r.Note = Absent, found.how, "somebody else has taken it out already"
		if err := s.forget(p); err != nil {
			return r.fail(err.Error())
		}
		return r
	}
	back, why := s.restorable(p)
	steps := p.take(found)
	if back != nil && !p.programFirst {
		steps = back.steps()
	}
	if p.admin && !s.Admin {
		return s.plan(p, r, steps)
	}
	var err error
	r.Did, err = runSteps(ctx, steps)
	if err == nil && back != nil && p.programFirst {
		err = back.putBack()
	}
	if err != nil {
		return r.fail(err.Error())
	}
	after, err := p.find(ctx)
	if err == nil && (after.present || after.leftover) { // a copy that was there before the installation, such as one that policies have made
		var more []string
		if more, err = runSteps(ctx, p.take(after)); err == nil {
			after, err = p.find(ctx)
		}
		r.Did = append(r.Did, more...)
		if back != nil {
			why = "a copy that was there before the installation was taken out, too"
		}
	}
	if err == nil && (after.present || after.leftover) {
		err = fmt.Errorf("it was taken out, but is still there: %s", after.how)
	}
	if err != nil {
		return r.fail(err.Error())
	}
	r.Exact = s.restoredExactly(p)
	r.Status, r.Verified, r.Note = Removed, after.how, joinNotes(why, r.Note)
	if err := s.forget(p); err != nil {
		return r.fail(err.Error())
	}
	return r
}

// restorable returns the files as they were before the installation, or nil and why there is none.
func (s *Stores) restorable(p place) (*snapshot, string) {
	rec, err := s.journal.read(p.store, p.path)
	if err != nil || rec == nil {
		return nil, "it was not put there by this program, or the journal is lost"
	}
	if rec.Begun {
		return nil, "only the certificate was taken out: its installation did not come to its end"
	}
	if p.busy != nil {
		if busy := p.busy(); busy != "" {
			return nil, "only the certificate was taken out: " + busy
		}
	}
	back := &snapshot{dirs: rec.Dirs}
	for _, f := range rec.Files {
		if !p.owns(f.Path) { // a journal is not to be a way to write just any file
			return nil, "only the certificate was taken out: the journal speaks of " + f.Path
		}
		now, err := readContent(f.Path)
		if err != nil {
			return nil, "only the certificate was taken out: " + err.Error()
		}
		before, ok := f.restored(now)
		if !ok {
			return nil, "only the certificate was taken out, because " + f.Path + " has changed since the installation"
		}
		back.entries = append(back.entries, entry{f.Path, before})
	}
	return back, ""
}

// steps puts a snapshot back.
func (s *snapshot) steps() []step {
	return []step{{"put back the bytes from before the installation", func(context.Context) error { return s.putBack() }}}
}

// restoredExactly reports whether every file has the bytes from before the installation.
func (s *Stores) restoredExactly(p place) bool {
	rec, err := s.journal.read(p.store, p.path)
	if err != nil || rec == nil || len(rec.Files) == 0 { // what keeps no files has no bytes to compare
		return false
	}
	return !slices.ContainsFunc(rec.Files, func(f overwritten) bool {
		now, err := readContent(f.Path)
		return err != nil || now.digest() != f.Before
	})
}

// forget ends the journal's record of a place, and removes the directories that were made for it.
func (s *Stores) forget(p place) error {
	rec, err := s.journal.read(p.store, p.path)
	if err != nil {
		return err
	}
	if rec != nil {
		removeDirs(rec.Dirs)
	}
	return s.journal.forget(p.store, p.path)
}

// removeDirs removes directories, inner ones first, as far as nothing is in them.
func removeDirs(dirs []string) {
	for _, dir := range slices.Backward(dirs) {
		_ = os.Remove(dir)
	}
}

// forgetGone clears the journal of places that are not there any more, such as a profile that was deleted. Of a store of which certain places were named, the
// others were not looked for.
func (s *Stores) forgetGone(ctx context.Context, names []string) []Report {
	records, err := s.journal.records()
	if err != nil {
		return []Report{Report{Store: "journal", Path: s.Journal}.fail(err.Error())}
	}
	known := s.places(ctx, names)
	var all []Report
	for _, rec := range records {
		if _, named := s.Places[rec.Store]; named || !slices.Contains(names, rec.Store) || slices.ContainsFunc(known, func(p place) bool { return p.store == rec.Store && p.path == rec.Path }) {
			continue
		}
		r := Report{Store: rec.Store, Path: rec.Path, Status: Absent, Note: "the place is not there any more"}
		if err := s.journal.forget(rec.Store, rec.Path); err != nil {
			r = r.fail(err.Error())
		}
		all = append(all, r)
	}
	return all
}
