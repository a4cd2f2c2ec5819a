package review_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

var (
	plotted = regexp.MustCompile(`<div class="bar"><b>(.*?)</b><svg[^>]*>(.*?)</svg><span>(.*?)</span>|(?s:<svg class="time".*?</svg>)`)
	markup  = regexp.MustCompile(`<[^>]*>`)
	drawn   = regexp.MustCompile(`class="([^"]*)" x="([^"]*)" y="([^"]*)" width="([^"]*)" height="([^"]*)"`)
)

// TestPlots: bars are as long as the numbers beside them say, the longest fills its plot, and each stands where the one before ends.
func TestPlots(t *testing.T) {
	t.Parallel()
	at := func(clock, client, dialect string, change entry) string {
		e := entry{"time": "2026-03-01T" + clock + "Z", "client": client, "dialect": dialect}
		for k, v := range change {
			e[k] = v
		}
		return line(t, e) + "\n"
	}
	monitored := func(domain string) entry {
		return entry{"mode": "monitor", "action": "pass", "would": "refuse", "subjects": []string{domain}, "suggestions": suggests("keep", "imap.stranger.net")}
	}
	log := at("10:00:30", "192.0.2.1", "pox", entry{"repeat": 3}) + at("10:09:10", "192.0.2.2", "pox", nil) +
		at("10:09:50", "192.0.2.2", "autoconfig", monitored("lab.test")) + at("10:09:55", "192.0.2.2", "pox", monitored("example.com"))
	html, err := reviewed(t, review.Filter{}, log).Plots()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, bar := range plotted.FindAllStringSubmatch(string(html), -1) {
		fmt.Fprintf(&got, "%s %s:", bar[1], bar[3])
		for _, r := range drawn.FindAllStringSubmatch(bar[0], -1) {
			fmt.Fprintf(&got, " %s at %s,%s for %s,%s", r[1], r[2], r[3], r[4], r[5])
		}
		got.WriteString("\n")
	}
	got.WriteString(strings.Join(strings.Fields(markup.ReplaceAllString(string(html), " ")), " ") + "\n")
	const want = `
 : c-refuse at 0.000,0.000 for 8.500,100.000 c-pass at 90.000,33.333 for 8.500,66.667 c-refuse at 90.000,0.000 for 8.500,33.333 leak at 90.000,102 for 8.500,5
example.com 4 stopped, 1 not stopped: c-refuse at 0,0 for 80.000,100 leak at 80.000,0 for 20.000,100
lab.test 0 stopped, 1 not stopped: leak at 0.000,0 for 20.000,100
192.0.2.1 3: d0 at 0.000,0 for 100.000,100
192.0.2.2 3: d0 at 0.000,0 for 66.667,100 d1 at 66.667,0 for 33.333,100
` + "Decisions by action, per minute 2026-03-01 10:00:30Z highest bar: 3 2026-03-01 10:09:55Z pass 2 refuse 4 not stopped 2 " +
		"The same as a table from pass edit refuse answer other not stopped 2026-03-01 10:00:00Z 0 0 3 0 0 0 2026-03-01 10:09:00Z 2 0 1 0 0 2 " +
		"Strangers suggested, by domain example.com 4 stopped, 1 not stopped lab.test 0 stopped, 1 not stopped " +
		"Dialects by client 192.0.2.1 3 192.0.2.2 3 pox 5 autoconfig 1 The same as a table dialect client times first last " +
		"pox 192.0.2.1 3 2026-03-01 10:00:30Z 2026-03-01 10:00:30Z pox 192.0.2.2 2 2026-03-01 10:09:10Z 2026-03-01 10:09:55Z " +
		"autoconfig 192.0.2.2 1 2026-03-01 10:09:50Z 2026-03-01 10:09:50Z\n"
	if diff := cmp.Diff(want[1:], got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
