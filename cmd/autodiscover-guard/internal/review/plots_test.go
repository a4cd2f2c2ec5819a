package review_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

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
		maps.Copy(e, change)
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

// TestPlots_many: the largest come first, equals by name, and beyond a dozen bars and six colours there are no more.
func TestPlots_many(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	for i := range 14 {
		name := fmt.Sprintf("c%02d", i)
		log.WriteString(line(t, entry{"client": name, "dialect": "d" + name, "subjects": []string{name + ".test"}, "repeat": 14 - i/2*2}) + "\n")
	}
	html, err := reviewed(t, review.Filter{}, log.String()).Plots()
	if err != nil {
		t.Fatal(err)
	}
	var domains, clients []string
	for _, bar := range plotted.FindAllStringSubmatch(string(html), -1) {
		name, isDomain := strings.CutSuffix(bar[1], ".test")
		switch classes := drawn.FindAllStringSubmatch(bar[0], -1); {
		case isDomain:
			domains = append(domains, name)
		case name != "":
			clients = append(clients, name+" "+classes[0][1])
		}
	}
	if diff := cmp.Diff([]string{"c00", "c01", "c02", "c03", "c04", "c05", "c06", "c07", "c08", "c09", "c10", "c11"}, domains); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"c00 d0", "c01 d1", "c02 d2", "c03 d3", "c04 d4", "c05 d5", "c06 d-others", "c07 d-others", "c08 d-others", "c09 d-others", "c10 d-others", "c11 d-others",
	}, clients); diff != "" {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
	if n := strings.Count(string(html), `<rect class="d-others" width="1" height="1"/></svg>others `); n != 1 {
		t.Errorf("others are in the legend %d times", n)
	}
}

// TestReport_page: the page is of one piece where there is nothing to plot, and says whether something leaked.
func TestReport_page(t *testing.T) {
	t.Parallel()
	leak := line(t, entry{"mode": "monitor", "action": "pass", "would": "refuse"})
	for log, want := range map[string][]string{
		"":                  {"<p>No decision in 0 lines of 1 file.</p>", "No leak went by unstopped."},
		line(t, nil) + "\n": {"<p>1 decision from ", "No leak went by unstopped.", "<h2>Leaks stopped (decisions): 1</h2>\n<table>"},
		leak + "\n" + leak:  {"<p>2 decisions from ", `<a href="#not_stopped">Leaks not stopped (decisions): 2</a>`, "<h2>Leaks stopped: none</h2>\n</section>"},
	} {
		var b strings.Builder
		r := reviewed(t, review.Filter{}, log)
		if err := r.Write(&b, review.FormatHTML); err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Sections {
			want = append(want, `<section id="`+s.ID+`">`)
		}
		for _, text := range want {
			if !strings.Contains(b.String(), text) {
				t.Errorf("%.60s: no %s in\n%s", log, text, b.String())
			}
		}
	}
}

// TestReport_timeline: there are at most 96 buckets, wherever in the first one the log begins.
func TestReport_timeline(t *testing.T) {
	t.Parallel()
	var log, out strings.Builder
	first := time.Date(2026, 3, 1, 0, 59, 0, 0, time.UTC)
	for hour := range 96 {
		log.WriteString(line(t, entry{"time": first.Add(time.Duration(hour) * time.Hour).Format(time.RFC3339)}) + "\n")
	}
	log.WriteString(line(t, entry{"time": first.Add(95*time.Hour + 2*time.Minute).Format(time.RFC3339)}) + "\n")
	if err := reviewed(t, review.Filter{}, log.String()).Write(&out, review.FormatJSON); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Timeline []struct{ Start string }
		Width    int `json:"timeline_seconds"`
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	if n := len(got.Timeline); n == 0 || n > 96 || got.Width != int(6*time.Hour/time.Second) {
		t.Errorf("got %d buckets of %d s", n, got.Width)
	}
}
