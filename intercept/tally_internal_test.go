package intercept

import (
	"maps"
	"testing"
)

// What no word of the list says is counted under the last one.
func TestTally_other(t *testing.T) {
	t.Parallel()
	c := newTally("a", "b", tallyOther)
	for _, word := range []string{"b", "x", "", tallyOther} {
		c.add(word)
	}
	if got, want := c.all(), map[string]int64{"a": 0, "b": 1, tallyOther: 3}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
