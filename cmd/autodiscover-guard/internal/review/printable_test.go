package review_test

import (
	"bytes"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// TestReport_keepsText: what is made harmless in a report is still there.
func TestReport_keepsText(t *testing.T) {
	r := reviewed(t, review.Filter{}, line(t, entry{"suggestions": suggests("remove", "=1+1"), "policy": "a|b"})+"\n")
	for format, want := range map[review.Format][]string{
		review.FormatCSV: {",'=1+1\r\n", ",refuse\r\n"}, review.FormatMarkdown: {`| a\|b |`, "| =1+1 |"}, review.FormatTable: {" a|b ", " =1+1 "},
	} {
		var b bytes.Buffer
		if err := r.Write(&b, format); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(b.String(), text) {
				t.Errorf("%s: no %q in\n%s", format, text, b.String())
			}
		}
	}
}

// TestReport_JSONForTerminals: no format has what a terminal obeys, those for machines neither.
func TestReport_JSONForTerminals(t *testing.T) {
	text := line(t, entry{"suggestions": suggests("remove", "mail\u009b31m\u202e.net"), "policy": "\u2066x\x7f"}) + "\n"
	r := reviewed(t, review.Filter{}, text)
	for _, format := range []review.Format{review.FormatTable, review.FormatJSON, review.FormatMarkdown, review.FormatHTML, review.FormatCSV} {
		var b bytes.Buffer
		if err := r.Write(&b, format); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\u009b\u202e\u2066\x7f") {
			t.Errorf("%s: %q", format, b.String())
		}
	}
}
