package review_test

import (
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// A line may stand for many decisions, and then says so.
func TestLive_repeat(t *testing.T) {
	var out strings.Builder
	live := review.NewLive(review.NewSummary(review.Filter{}), &out, false)
	live.Start()
	log := line(t, entry{}) + "\n" + line(t, entry{"repeat": 1200, "suggestions": suggests("remove", "a.stranger.net")}) + "\n"
	if _, err := review.Read(t.Context(), review.Sources{Files: []string{"-"}, Stdin: strings.NewReader(log)}, live); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 3 || strings.Contains(lines[0], "times") || !strings.HasSuffix(lines[1], "  [a.stranger.net]  (1,200 times)") {
		t.Errorf("got\n%s", out.String())
	}
}
