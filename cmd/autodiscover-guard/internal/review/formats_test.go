package review_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// TestReport_formats: one log in the forms that people and spreadsheets read, to be looked at when they change.
func TestReport_formats(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	for _, e := range []entry{
		{"time": "2026-03-01T10:00:30Z", "client": "192.0.2.1", "repeat": 1200},
		{"mode": "monitor", "action": "pass", "would": "refuse", "client": "192.0.2.2", "suggestions": suggests("keep", "imap.stranger.net")},
		{"client": "192.0.2.3"},
		{"client": "192.0.2.4"}, // a table has room for some of them
		{"action": "later"},
		{"action": "pass", "rule": "", "suggestions": []entry{}, "upstream": entry{"asked": true, "error": "refused", "check": "connect"}},
	} {
		e["policy"] = "0123" // that of the golden records follows the built-in rules
		log.WriteString(line(t, e) + "\n")
	}
	r := reviewed(t, review.Filter{}, log.String()+"no record\n"+line(t, nil)[:50])
	for format, file := range map[review.Format]string{
		review.FormatTable: "testdata/report.golden.txt", review.FormatMarkdown: "testdata/report.golden.md", review.FormatCSV: "testdata/report.golden.csv",
	} {
		var got bytes.Buffer
		if err := r.Write(&got, format); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// TestReport_fullDisk: a report that could not be written is an error, in each form.
func TestReport_fullDisk(t *testing.T) {
	t.Parallel()
	r := reviewed(t, review.Filter{}, line(t, nil))
	for _, format := range review.Formats() {
		if err := r.Write(full{}, format); err == nil {
			t.Errorf("%s: no error", format)
		}
	}
}
