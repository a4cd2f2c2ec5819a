package certs

import (
	"fmt"
	"time"
)

// CheckOpen says why [Open] would fail for scope, and nil where it would not; creates reports that dir is absent or empty, and Open would make an authority there. It makes,
// renews and changes nothing. The errors are those of Open, but for those of writing.
func CheckOpen(dir string, scope Scope, options ...Option) (creates bool, err error) {
	names, err := scope.canonical()
	if err != nil {
		return false, err
	}
	a, err := newAuthority(dir, options)
	if err != nil {
		return false, err
	}
	defer a.Close()
	empty, err := absent(a.dir)
	if err != nil {
		return false, fmt.Errorf("opening authority %q: %w", a.dir, err)
	}
	if empty {
		return true, nil
	}
	t, err := load(a.dir)
	if err != nil {
		return false, err
	}
	a.scope.Store(&activeScope{asked: names, set: newNameSet(names)})
	return false, a.checkUsable(t, time.Now(), nil)
}
