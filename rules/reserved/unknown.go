package reserved

import (
	"fmt"
	"strings"
)

// UnknownSetError says that no set has the name that [New] was given.
type UnknownSetError struct{ Name string }

// Error names what was given, and all names that exist.
func (e *UnknownSetError) Error() string {
	names := make([]string, 0, len(groups))
	for _, g := range groups {
		names = append(names, g.info.Name)
	}
	return fmt.Sprintf("unknown set of reserved names %q; the sets are %s", e.Name, strings.Join(names, ", "))
}
