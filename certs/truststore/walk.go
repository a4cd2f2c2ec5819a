package truststore

import "context"

// action is what is done at one place, after the root was looked for there.
type action func(ctx context.Context, p place, r Report, found finding) Report

// each looks for the root at every place of the named stores, and does what is to be done there.
func (s *Stores) each(ctx context.Context, names []string, do action) []Report {
	var all []Report
	for _, p := range s.places(ctx, names) {
		all = append(all, s.visit(ctx, p, do))
	}
	return all
}

func (s *Stores) visit(ctx context.Context, p place, do action) Report {
	rec, err := s.journal.read(p.store, p.path)
	r := p.report(rec != nil)
	if err != nil {
		return r.fail(err.Error())
	}
	if p.skip != "" {
		r.Status, r.Note = Skipped, p.skip
		return r
	}
	found, err := p.find(ctx)
	if err != nil {
		return r.fail(err.Error())
	}
	return do(ctx, p, r, found)
}

// Verify says of every place of the named stores whether the root is there and trusted, and changes nothing.
func (s *Stores) Verify(ctx context.Context, names ...string) []Report {
	return s.each(ctx, names, func(_ context.Context, _ place, r Report, found finding) Report {
		r.Status, r.Verified, r.Note = Absent, found.how, ""
		if found.present {
			r.Status = Present
		}
		return r
	})
}
