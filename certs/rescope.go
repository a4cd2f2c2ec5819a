package certs

import "time"

// span is what an authority signs for at a moment: it may be less than its certificates would let it.
type span struct {
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
	if err := a.startable(names); err != nil {
		return err
	}
	if err := a.narrow(names); err != nil {
		return err
	}
	a.leaves.InvalidateAll()
	return nil
}

// startable takes over what is in the directory, and says why a start that is to sign for these names would fail all the same.
func (a *Authority) startable(names []string) error {
	a.renewing.Lock()
	defer a.renewing.Unlock()
	now := time.Now()
	a.adopt(now, names)
	if a.unread != nil {
		return a.unread
	}
	return a.fit(a.tiers.Load(), now, names) // its time may be over since it was taken over
}

// narrow puts canonical names in force.
func (a *Authority) narrow(names []string) error {
	t := a.tiers.Load()
	if missing := t.lacks(names); missing != nil {
		return &ScopeError{Dir: a.dir, Missing: missing, Foreign: !t.own()}
	}
	a.scope.Store(&span{asked: names, set: newNameSet(names)})
	return nil
}
