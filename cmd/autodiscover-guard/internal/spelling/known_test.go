package spelling_test

import (
	"errors"
	"fmt"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
)

func TestKnown(t *testing.T) {
	t.Parallel()
	if err := spelling.Known("format", "html", "table", "html"); err != nil {
		t.Errorf("a word that there is: %v", err)
	}
	for word, want := range map[string]string{
		"tabel": `did you mean "table"?`, // two letters that changed places
		"tble":  `did you mean "table"?`,
		"HTML":  `did you mean "html"?`,
		"yaml":  "want one of table, html",
		"":      "want one of table, html",
	} {
		err := fmt.Errorf("--format: %w", spelling.Known("format", word, "table", "html"))
		if got, want := err.Error(), fmt.Sprintf("--format: there is no format %q", word); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		unknown, ok := errors.AsType[*spelling.UnknownError](err)
		if !ok || unknown.Hint() != want {
			t.Errorf("%q: got %+v, want the hint %q", word, unknown, want)
		}
	}
}
