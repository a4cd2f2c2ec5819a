package spelling

import (
	"fmt"
	"slices"
	"strings"
)

// UnknownError says that there is no such word where one of a list has to stand.
type UnknownError struct {
	// What the word should have been, as in "there is no format".
	What, Word string
	// Known are the words that there are.
	Known []string
}

// Known returns nil where word is one of known, else an [UnknownError] that calls it no what.
func Known(what, word string, known ...string) error {
	if slices.Contains(known, word) {
		return nil
	}
	return &UnknownError{what, word, known}
}

func (e *UnknownError) Error() string { return fmt.Sprintf("there is no %s %q", e.What, e.Word) }

// Hint is the right spelling, or where none is near all words that there are.
func (e *UnknownError) Hint() string {
	if near := Nearest(e.Word, e.Known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "want one of " + strings.Join(e.Known, ", ")
}
