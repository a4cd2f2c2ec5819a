package review_test

import (
	"fmt"
	"slices"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// As many names as the documents say are counted exactly, and one more is not.
func TestTally_isExact(t *testing.T) {
	for _, names := range []int{4096, 4097} {
		s := review.NewSummary(review.Filter{})
		for i := range names {
			r := review.Record{
				Level: "warn", Action: "refuse", Rule: "documentation", Dialect: "pox", Subjects: []string{"example.com"},
				Suggestions: []review.Suggestion{{Kind: "hostname", Was: fmt.Sprint("s", i, ".net"), Verdict: "remove"}},
			}
			s.Decision(&r, "")
		}
		for _, section := range s.Report(review.Log{}, names).Sections {
			if section.ID != "stopped" {
				continue
			}
			inexact := slices.ContainsFunc(section.Rows, func(row []any) bool { return row[3].(review.Count).AtLeast })
			if inexact != (names > 4096) || !inexact && len(section.Rows) != names {
				t.Errorf("%d names: %d rows, inexact %v", names, len(section.Rows), inexact)
			}
		}
	}
}
