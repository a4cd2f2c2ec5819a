package desktop

import (
	"context"
	"maps"
)

// Pointing lists the places whose settings are those of a target, whoever has put them in place: another user's journal knows of them, or an administrator's
// programs, or nobody. A policy file counts where this process may not write it, too: programs read it all the same.
func (d *Desktop) Pointing(ctx context.Context, t Target) []Result {
	places := d.places(ctx, nil, t.Proxy != "")
	for _, a := range applications(d.config.System.OS) {
		if policy := d.policyFile(a); policy.where.Where != "" && policy.missing != "" {
			policy.missing = ""
			places = append(places, policy)
		}
	}
	var all []Result
	for _, p := range places {
		if p.absent(ctx) != "" {
			continue
		}
		now, err := p.read(ctx)
		if err != nil {
			continue
		}
		if inForce := now.inForce(); maps.Equal(overlay(Snapshot{Values: inForce}, p.wanted(t)).Values, inForce) {
			all = append(all, result(p, On, ""))
		}
	}
	return all
}
