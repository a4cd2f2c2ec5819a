package reserved

import (
	"slices"
	"strings"
	"sync"
)

// Entry is one reserved name and who says so.
type Entry struct {
	// Name is what is reserved, with everything below it: lower case, A-labels, no trailing dot. It is an address range in CIDR
	// notation where the entry comes from [MatchAddr] or [Set.MatchSubject].
	Name string
	// Set is the set that the entry belongs to; see [Sets].
	Set    string
	Nature Nature
	// Authority is who set the name aside, and Citation the document in which.
	Authority, Citation string
	// Note helps a reader: the U-label of an A-label, or what the name is for. It may be empty.
	Note string
}

// SetInfo describes one set of names.
type SetInfo struct {
	// Name is how configuration calls the set.
	Name string
	// Default reports whether the set is on when nothing else is said.
	Default bool
	// About says in a few words what is in it.
	About string
}

// group is a set with its rows. A row's Set is left to the group.
type group struct {
	info SetInfo
	rows []Entry
}

var groups = [...]group{
	{SetInfo{ietfSet, true, "special-use names of the IETF (IANA registry), and address literals"}, ietfRows},
	{SetInfo{"icann", true, "the private-use top-level domain of ICANN"}, icannRows},
	{SetInfo{"idn-test", true, "IANA's internationalised test domains of 2007 to 2013"}, idnTestRows},
	{SetInfo{"informal-private", false, "names that private networks use by custom"}, informalRows},
	{SetInfo{"vendor-documentation", false, "real domains that vendors own for their manuals"}, vendorRows},
}

const ietfSet = "ietf" // the addresses belong to it too

// inner marks a suffix that is no entry but has entries below it: com, in-addr.arpa.
const inner = -1

// Set is a choice of sets, ready to be asked. It is immutable and safe for concurrent use. A nil *Set and the zero Set are [Default]: a
// forgotten field must not switch protection off.
type Set struct {
	entries []Entry
	suffix  map[string]int // place in entries, or inner
	addrs   bool
}

// New makes a Set of the named sets. No name at all means those of [Default]. Order and repetition do not matter. An unknown name gives
// an [*UnknownSetError].
func New(sets ...string) (*Set, error) {
	for _, name := range sets {
		if !slices.ContainsFunc(groups[:], func(g group) bool { return g.info.Name == name }) {
			return nil, &UnknownSetError{name}
		}
	}
	return build(func(info SetInfo) bool {
		return slices.Contains(sets, info.Name) || len(sets) == 0 && info.Default
	}), nil
}

var defaultSet = sync.OnceValue(func() *Set {
	return build(func(info SetInfo) bool { return info.Default })
})

// Default is the Set of what is reserved for everybody: ietf, icann, and idn-test. All calls return the same Set.
func Default() *Set { return defaultSet() }

// All is the Set of every set.
func All() *Set { return build(func(SetInfo) bool { return true }) }

// Sets lists all sets in the order in which [Set.Entries] gives their names. The caller owns the slice.
func Sets() []SetInfo {
	infos := make([]SetInfo, 0, len(groups))
	for _, g := range groups {
		infos = append(infos, g.info)
	}
	return infos
}

// Entries lists what is reserved by name, in the order of the sets and of their sources. The caller owns the slice. Address ranges are
// listed by [AddrEntries].
func (s *Set) Entries() []Entry { return slices.Clone(s.orDefault().entries) }

// Names lists the reserved names as A-labels, in the order of [Set.Entries]. The caller owns the slice.
func (s *Set) Names() []string {
	entries := s.orDefault().entries
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names
}

func (s *Set) orDefault() *Set {
	if s == nil || s.suffix == nil {
		return Default()
	}
	return s
}

func build(on func(SetInfo) bool) *Set {
	s := &Set{suffix: make(map[string]int)}
	for _, g := range groups {
		if !on(g.info) {
			continue
		}
		s.addrs = s.addrs || g.info.Name == ietfSet
		for _, e := range g.rows {
			e.Set = g.info.Name
			s.add(e)
		}
	}
	return s
}

func (s *Set) add(e Entry) {
	s.suffix[e.Name] = len(s.entries)
	s.entries = append(s.entries, e)
	for _, parent, ok := strings.Cut(e.Name, "."); ok; _, parent, ok = strings.Cut(parent, ".") {
		if _, known := s.suffix[parent]; !known {
			s.suffix[parent] = inner
		}
	}
}
