package certs

import (
	"fmt"
	"time"
)

// CheckOpen says why [Open] would fail for scope, and nil where it would not: for an absent or empty dir too, in which Open makes an authority. It makes,
// renews and changes nothing. The errors are those of Open, but for those of writing.
func CheckOpen(dir string, scope Scope, options ...Option) error {
	names, err := scope.canonical()
	if err != nil {
		return err
	}
	a, err := newAuthority(dir, options)
	if err != nil {
		return err
	}
	defer a.Close()
	empty, err := absent(a.dir)
	if err != nil {
		return fmt.Errorf("opening authority %q: %w", a.dir, err)
	}
	if empty {
		return nil
	}
	t, err := load(a.dir)
	if err != nil {
		return err
	}
	a.scope.Store(&activeScope{asked: names, set: newNameSet(names)})
	return a.checkUsable(t, time.Now(), nil)
}
