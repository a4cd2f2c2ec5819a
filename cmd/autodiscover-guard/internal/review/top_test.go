package review_test

import (
	"bytes"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// TestReport_top: rows beyond the number that was asked for are counted.
func TestReport_top(t *testing.T) {
	var log strings.Builder
	for i, host := range []string{"a.stranger.net", "b.stranger.net", "c.stranger.net"} {
		log.WriteString(line(t, entry{"suggestions": suggests("remove", host), "repeat": 1000 + i}) + "\n")
	}
	s := review.NewSummary(review.Filter{})
	read, err := review.Read(t.Context(), review.Sources{Files: []string{"-"}, Stdin: strings.NewReader(log.String())}, s)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Report(read, 1).Write(&b, review.FormatTable); err != nil {
		t.Fatal(err)
	}
	_, stopped, _ := strings.Cut(b.String(), "\nLeaks stopped (decisions): 3,003\n")
	if !strings.Contains(stopped, "  and 2 more, which stand for 2,001\n") || !strings.Contains(stopped, " c.stranger.net ") || strings.Contains(stopped, " b.stranger.net ") {
		t.Errorf("got\n%s", b.String())
	}
}
