package certs

import (
	"fmt"
	"slices"
	"strings"
)

// Scope is what an authority may speak for. The zero value is nothing, and [Open] refuses it.
type Scope struct {
	// Names are DNS names, each with everything below it, which is how RFC 5280, section 4.2.1.10, reads a dNSName
	// constraint. Names in other scripts are written as A-labels ("xn--…"). Case and one trailing dot do not matter.
	// A single label such as "test" is a name like any other.
	Names []string
}

// Validate returns nil if the scope can be asked of [Open]; otherwise an error that wraps a [*NameError] and says the
// right spelling where one can be guessed.
func (s Scope) Validate() error {
	_, err := s.canonical()
	return err
}

// Contains reports whether name, in any case and with or without a trailing dot, is one of the scope's names or
// below one. It does not say that name is a good host name.
func (s Scope) Contains(name string) bool {
	return newNameSet(s.Names).covers(normalise(name))
}

// canonical returns the scope's names normalised, sorted, and without those that another one covers.
func (s Scope) canonical() ([]string, error) {
	if len(s.Names) == 0 {
		return nil, fmt.Errorf(`scope has no names: list the domains to open, such as "example.com"`)
	}
	for _, name := range s.Names {
		if err := checkName(normalise(name)); err != nil {
			err.Name = name
			return nil, fmt.Errorf("scope: %w", err)
		}
	}
	all := newNameSet(s.Names)
	var names []string
	for name := range all {
		if _, parent, _ := strings.Cut(name, "."); !all.covers(parent) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// nameSet holds normalised names, each standing for itself and everything below it; with a dot in front, which name constraints of other CAs have and RFC 5280
// (section 4.2.1.10) does not know, only for what is below.
type nameSet map[string]struct{}

func newNameSet(names []string) nameSet {
	set := make(nameSet, len(names))
	for _, name := range names {
		set[normalise(name)] = struct{}{}
	}
	return set
}

// covers walks up from name, whole labels at a time, so that "evilexample.com" is not below "example.com".
func (s nameSet) covers(name string) bool {
	for {
		if _, ok := s[name]; ok {
			return true
		}
		dot := strings.IndexByte(name, '.')
		if dot < 0 {
			return false
		}
		if _, ok := s[name[dot:]]; ok {
			return true
		}
		name = name[dot+1:]
	}
}
