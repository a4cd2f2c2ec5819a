package desktop

import "context"

// undo works out what a place has to hold so that an entry is taken back, and which keys somebody else has changed meanwhile. Those
// are left alone unless force is set. It is right whether the entry was applied, half applied, never applied, or restored already.
func undo(ctx context.Context, p place, now Snapshot, e Entry, force bool) (then Snapshot, changed []string, err error) {
	if e.oursWhole(now.File) {
		return e.Before, nil, nil // nobody touched the file: its very bytes come back
	}
	values := Values{}
	for _, k := range e.After.Values.keys() {
		switch v, before := now.Values[k], e.Before.Values[k]; {
		case v == before:
		case e.ours(k, v) || force:
			values[k] = before
		default:
			changed = append(changed, k)
		}
	}
	if len(values) == 0 {
		if b := e.Before.File; b != nil && !b.Exists && !now.File.Exists {
			now.File = b // an earlier run may have made its directories
		}
		return now, changed, nil
	}
	if then, err = p.plan(ctx, now, values); err != nil {
		return now, changed, err
	}
	if f, b := then.File, e.Before.File; f != nil && b != nil && f.Vacant && !(b.Exists && b.Vacant) {
		then.File = &File{Missing: b.Missing} // nothing is left in it but what was made for us
	}
	return then, changed, nil
}
