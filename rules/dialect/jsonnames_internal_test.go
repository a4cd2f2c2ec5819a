package dialect

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A member that stands twice, in whatever case, makes a document unreadable: in an object of few members, behind many, and with many between.
func TestParseJSON_membersTwice(t *testing.T) {
	var many strings.Builder
	for i := range 2 * fewMembers {
		fmt.Fprintf(&many, `"m%d":%d,`, i, i)
	}
	for _, before := range []string{"", many.String()} {
		for names, twice := range map[string]bool{
			`"host":1,"host":2`:             true,
			`"host":1,"HOST":2`:             true,
			`"host":1,"ho\u0073t":2`:        true,
			`"host":1,"hoſt":2`:             true, // U+017F, the long s
			`"link":1,"lin\u212a":2`:        true, // the Kelvin sign
			`"host":1,"hosts":2`:            false,
			`"a":{"host":1},"b":{"host":1}`: false,
		} {
			for _, document := range []string{before + names, strings.Replace(names, ",", ","+before, 1)} {
				_, err := readJSON([]byte("{" + document + "}"))
				if errors.Is(err, ErrUnreadable) != twice || err != nil && !twice {
					t.Errorf("{%s}: got %v, twice: %t", document, err, twice)
				}
			}
		}
	}
}
