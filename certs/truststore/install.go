package truststore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Install puts the root into every place of the named stores; see [Names]. What is there already is left as it is.
func (s *Stores) Install(ctx context.Context, names ...string) []Report {
	_ = os.MkdirAll(filepath.Dir(s.Journal), 0o700) // if it cannot be made, whoever writes the journal tells of it
	return s.inTurn(ctx, func() []Report { return s.each(ctx, names, s.install) })
}

// PlanInstall says what [Stores.Install] would do, and changes nothing.
func (s *Stores) PlanInstall(ctx context.Context, names ...string) []Report {
	return s.each(ctx, names, func(_ context.Context, p place, r Report, found finding) Report {
		if r, done := alreadyPresent(r, found); done {
			return r
		}
		return s.plan(p, r, p.put)
	})
}

// alreadyPresent returns the report, and true, for a place where the root is already.
func alreadyPresent(r Report, found finding) (Report, bool) {
	if !found.present {
		return r, false
	}
	r.Status, r.Verified, r.Note = Present, found.how, ""
	return r, true
}

// plan reports steps instead of taking them.
func (s *Stores) plan(p place, r Report, steps []step) Report {
	r.Status = Planned
	if p.admin && !s.Admin {
		r.Status = NeedsAdmin
	}
	for _, st := range steps {
		r.Did = append(r.Did, st.says)
	}
	return r
}

// install puts the root into one place where it is not.
func (s *Stores) install(ctx context.Context, p place, r Report, found finding) Report {
	if r, done := alreadyPresent(r, found); done {
		return r
	}
	if p.admin && !s.Admin {
		return s.plan(p, r, p.put)
	}
	before, err := takeSnapshot(p)
	if err != nil {
		return r.fail(err.Error())
	}
	old, err := s.journal.read(p.store, p.path)
	if err == nil {
		if old != nil && old.Begun { // it has made directories that are no longer missing
			before.dirs = append(old.Dirs, before.dirs...)
		}
		err = s.journal.write(before.begin(p))
	}
	if err != nil {
		return r.fail(err.Error() + "; everything is as it was")
	}
	r.Did, err = runSteps(ctx, p.put)
	if err == nil {
		found, err = p.find(ctx)
	}
	if err == nil && !found.present {
		err = fmt.Errorf("it was put there, but is not trusted: %s", found.how)
	}
	var rec *record
	if err == nil {
		rec, err = before.record(p)
	}
	if err == nil {
		err = s.journal.write(rec)
	}
	if err != nil {
		if p.explain != nil {
			if better := p.explain(err); better != "" {
				err = errors.New(better)
			}
		}
		if back := s.rollback(ctx, p, &before); back != nil {
			return r.fail(fmt.Sprintf("%v; and it could not be undone: %v", err, back))
		}
		if _ = s.journal.forget(p.store, p.path); old != nil && !old.Begun { // what cannot be forgotten is cleared by the next uninstallation
			_ = s.journal.write(old)
		}
		return r.fail(err.Error() + "; everything is as it was")
	}
	r.Status, r.Verified, r.Recorded = Installed, found.how, true
	return r
}

// runSteps takes steps until one fails, and returns the texts of those that succeeded.
func runSteps(ctx context.Context, steps []step) ([]string, error) {
	var did []string
	for _, st := range steps {
		if err := st.do(ctx); err != nil {
			return did, err
		}
		did = append(did, st.says)
	}
	return did, nil
}

// rollback undoes an installation that did not succeed.
func (s *Stores) rollback(ctx context.Context, p place, before *snapshot) error {
	ctx = context.WithoutCancel(ctx) // an interrupt is one of the reasons to be here
	busy := ""
	if p.busy != nil {
		busy = p.busy()
	}
	var err error
	if p.programFirst || busy != "" {
		var found finding
		if found, err = p.find(ctx); err == nil {
			_, err = runSteps(ctx, p.take(found))
		}
	}
	if busy != "" {
		return err
	}
	return errors.Join(err, before.putBack()) // whatever stopped the program may have left half a file
}

// joinNotes joins what is known about a place.
func joinNotes(notes ...string) string {
	return strings.Join(slices.DeleteFunc(notes, func(n string) bool { return n == "" }), "; ")
}
