package terminal_test

import (
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// TestPrintable: what a terminal would not show stands there in ASCII, and everything else as it is.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"mail.example.com – größer":     "mail.example.com – größer",
		"größer\x1b[2J\x7f":             `größer\x1b[2J\x7f`,
		"a\u202eb\u00a0c\uffff":         `a\u202eb\u00a0c\uffff`,
		"\U000e0001😀":                   `\U000e0001😀`,
		"\xff\xc3(":                     `\xff\xc3(`,
		"the replacement itself \ufffd": `the replacement itself \ufffd`,
	} {
		if got := terminal.Printable(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}
