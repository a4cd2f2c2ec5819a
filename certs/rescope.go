package certs

import "time"

// span is what an authority signs for at a moment: it may be less than its certificates would let it.
type span struct {
	asked []string // canonical
	set   nameSet  // the same, to look up
}

// Rescope changes what the authority signs for, for example after a policy was loaded anew. It first takes over what is in the directory, as
// [Authority.Refresh] does. It cannot go beyond what the certificates were made for: the error is a [*ScopeError] then, or a [*NameError] for
// a bad scope, or tells why what is in the directory now cannot be taken over, and the old scope stays in force. So nil says that a start with this scope
// would work as well. Leaves that were made for names outside the new scope are forgotten.
func (a *Authority) Rescope(scope Scope) error {
	names, err := scope.canonical()
	if err != nil {
		return err
	}
	a.renewing.Lock()
	a.adopt(time.Now(), names)
	unread := a.unread
	a.renewing.Unlock()
	if unread != nil {
		return unread
	}
	if err := a.narrow(names); err != nil {
		return err
	}
	a.leaves.InvalidateAll()
	return nil
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
