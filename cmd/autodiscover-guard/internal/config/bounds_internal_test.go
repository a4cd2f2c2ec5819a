package config

import (
	"regexp"
	"strconv"
	"testing"
)

// The bounds that a key's documentation names are those that hold.
func TestKeys_bounds(t *testing.T) {
	said := regexp.MustCompile(`[Ff]rom (\d+)([a-zA-Z]*) to (\d+)([a-zA-Z]*)`)
	bounded := 0
	for _, k := range keys {
		m := said.FindStringSubmatch(k.about)
		if m == nil {
			continue
		}
		bounded++
		for i, beyond := range map[int]int{1: -1, 3: +1} {
			n, err := strconv.Atoi(m[i])
			if err != nil {
				t.Fatal(err)
			}
			if err := Default().Set(k.name, m[i]+m[i+1]); err != nil {
				t.Errorf("%v", err)
			}
			if text := strconv.Itoa(n+beyond) + m[i+1]; Default().Set(k.name, text) == nil {
				t.Errorf("%s: %s is taken, although %s", k.name, text, m[0])
			}
		}
	}
	if limits := len(limitKeys) - 1; bounded < limits+6 { // and quarantine, quiet, size, every, keep, age
		t.Errorf("%d keys say their bounds", bounded)
	}
}
