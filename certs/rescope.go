package certs

// span is what an authority signs for at a moment: it may be less than its certificates would let it.
type span struct {
	asked []string // canonical
	set   nameSet  // the same, to look up
}

// Rescope changes what the authority signs for, for example after a policy was loaded anew. It cannot go beyond what the certificates were
// made for: the error is a [*ScopeError] then, or a [*NameError] for a bad scope, and everything stays as it was. Leaves that were made for
// names outside the new scope are forgotten.
func (a *Authority) Rescope(scope Scope) error {
	names, err := scope.canonical()
	if err != nil {
		return err
	}
	if err := a.narrow(names); err != nil {
		return err
	}
	a.leaves.InvalidateAll()
	return nil
}

// narrow puts canonical names in force.
func (a *Authority) narrow(names []string) error {
	issuing := a.Issuing()
	var missing []string
	for _, name := range names {
		if !permits(a.root, name) || !permits(issuing, name) {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return &ScopeError{Dir: a.dir, Missing: missing}
	}
	a.scope.Store(&span{asked: names, set: newNameSet(names)})
	return nil
}
