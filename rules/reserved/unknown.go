package reserved

import (
	"fmt"
	"strings"
)

// UnknownSetError says that no set has the name that [New] was given.
type UnknownSetError struct {
	// Name is what was given, Want the nearest name that exists, empty where none is near.
	Name, Want string
}

// Error names what was given, what was probably meant, and all names that exist.
func (e *UnknownSetError) Error() string {
	names := make([]string, 0, len(groups))
	for _, g := range groups {
		names = append(names, g.info.Name)
	}
	known := strings.Join(names, ", ")
	if e.Want == "" {
		return fmt.Sprintf("unknown set of reserved names %q; the sets are %s", e.Name, known)
	}
	return fmt.Sprintf("unknown set of reserved names %q; did you mean %q? The sets are %s", e.Name, e.Want, known)
}

// nearestSet is the set whose name needs the fewest changes, or empty if none resembles what was given.
func nearestSet(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" || len(name) > 40 {
		return ""
	}
	name = strings.NewReplacer("_", "-", " ", "-").Replace(name)
	best, least := "", 0
	for _, g := range groups {
		want := g.info.Name
		changes := distance(name, want)
		if strings.HasPrefix(want, name) && len(name) > 1 {
			changes = min(changes, 1) // vendor, idn, informal
		}
		if changes <= max(2, len(want)/4) && (best == "" || changes < least) {
			best, least = want, changes
		}
	}
	return best
}

// distance counts the bytes to insert, delete, replace, or swap with their neighbour to make b of a (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
