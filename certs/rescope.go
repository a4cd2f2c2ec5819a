package certs

import "time"

// activeScope is what an authority signs for at a moment: it may be less than its certificates would let it.
type activeScope struct {
	asked []string // canonical
	set   nameSet  // the same, to look up
}

// Rescope changes what the authority signs for, for example after a policy was loaded anew. It first takes over what is in the directory, as
// [Authority.Refresh] does. It cannot go beyond what the certificates were made for: the error is a [*ScopeError] then, or a [*NameError] for
// a bad scope, or tells why what is in the directory now cannot be taken over, or that its time is over, and the old scope stays in force. So nil says
// that a start with this scope would work as well. Leaves that were made for names outside the new scope are forgotten.
func (a *Authority) Rescope(scope Scope) error {
	names, err := scope.canonical()
	if err != nil {
		return err
	}
	if err := a.reloadFor(names); err != nil {
		return err
	}
	if err := a.setScope(names); err != nil {
		return err
	}
	a.leaves.InvalidateAll()
	return nil
}

// reloadFor takes over what is in the directory, and returns why a start that is to sign for these names would fail all the same.
func (a *Authority) reloadFor(names []string) error {
	a.renewing.Lock()
	defer a.renewing.Unlock()
	now := time.Now()
	a.reload(now, names)
	if a.reloadErr != nil {
		return a.reloadErr
	}
	return a.checkUsable(a.tiers.Load(), now, names) // its time may be over since it was taken over
}

// setScope puts canonical names in force.
func (a *Authority) setScope(names []string) error {
	t := a.tiers.Load()
	if missing := t.lacks(names); missing != nil {
		return &ScopeError{Dir: a.dir, Missing: missing, Foreign: !t.own()}
	}
	a.scope.Store(&activeScope{asked: names, set: newNameSet(names)})
	return nil
}
