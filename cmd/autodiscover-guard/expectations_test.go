package main

import (
	"reflect"
	"slices"
	"testing"
)

// TestExpectationKeys: a key that is added to a file of "policy test" can be suggested to whoever misspells it.
func TestExpectationKeys(t *testing.T) {
	t.Parallel()
	var all []string
	for _, of := range []reflect.Type{reflect.TypeFor[expectations](), reflect.TypeFor[expectation](), reflect.TypeFor[want]()} {
		for field := range of.Fields() {
			all = append(all, field.Tag.Get("yaml"))
		}
	}
	got := slices.Sorted(slices.Values(expectationKeys))
	if slices.Sort(all); !slices.Equal(got, slices.Compact(all)) {
		t.Errorf("got %q, the types have %q", got, all)
	}
}
