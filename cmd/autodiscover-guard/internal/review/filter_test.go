package review_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

func TestFilter(t *testing.T) {
	hour := func(h int) int64 { return time.Date(2025, 12, 8, h, 0, 0, 0, time.UTC).UnixNano() }
	var r review.Record
	if err := review.Parse(golden(t)[3], &r); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		f    review.Filter
		fits bool
	}{
		{"none", review.Filter{}, true},
		{"since", review.Filter{Since: hour(21)}, true},
		{"since later", review.Filter{Since: hour(22)}, false},
		{"until", review.Filter{Until: hour(22)}, true},
		{"until before", review.Filter{Until: hour(21)}, false},
		{"domain", review.Filter{Domains: []string{"other.net", "example.com"}}, true},
		{"domain above", review.Filter{Domains: []string{"com"}}, true},
		{"domain that only ends alike", review.Filter{Domains: []string{"ample.com"}}, false},
		{"client", review.Filter{Clients: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, true},
		{"another client", review.Filter{Clients: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}}, false},
		{"action", review.Filter{Actions: []string{"edit", "refuse"}}, true},
		{"another action", review.Filter{Actions: []string{"pass"}}, false},
		{"dialect", review.Filter{Dialects: []string{"pox"}}, false},
		{"rule", review.Filter{Rules: []string{"documentation"}}, true},
		{"another rule", review.Filter{Rules: []string{"pin"}}, false},
		{"since this moment", review.Filter{Since: r.At}, true},
		{"until this moment", review.Filter{Until: r.At}, false},
		{"one of two", review.Filter{Rules: []string{"documentation"}, Actions: []string{"pass"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r := reviewed(t, c.f, golden(t)[3]+"\n"); (r.Decisions == 1) != c.fits || r.Decisions+r.Others != 1 {
				t.Errorf("got %d decisions and %d others", r.Decisions, r.Others)
			}
		})
	}
}

// Clients are found in every spelling: with the zone of a link, which records of link-local clients have, and as IPv4 within IPv6.
func TestFilter_client(t *testing.T) {
	for _, c := range []struct{ asked, recorded string }{
		{"fe80::1%eth0", "fe80::1%eth0"},
		{"fe80::1", "fe80::1%eth0"},
		{"fe80::/10", "fe80::1%eth0"},
		{"::ffff:192.0.2.0/120", "192.0.2.7"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		{"192.0.2.7/24", "192.0.2.9"},
	} {
		p, err := review.ParseClient(c.asked)
		if err != nil {
			t.Fatal(err)
		}
		f := review.Filter{Clients: []netip.Prefix{p}}
		if !f.Match(&review.Record{Client: c.recorded}) || f.Match(&review.Record{Client: "198.51.100.1"}) || f.Match(&review.Record{Client: "2001:db8::1"}) {
			t.Errorf("%s does not find %s alone", c.asked, c.recorded)
		}
	}
	for asked, want := range map[string]string{"::ffff:192.0.2.0/24": "did you mean 192.0.2.0/24?", "::ffff:192.0.2.0/90": "192.0.2.0/24", "nobody": "192.0.2.7"} {
		if p, err := review.ParseClient(asked); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v, want an error with %q", asked, p, err, want)
		}
	}
}

// A message that has no word of what is asked for does not count.
func TestFilter_events(t *testing.T) {
	const at, message = "2026-01-02T00:00:00Z", `  warn  handshake failed  {"host": "mail.a.net", "client": "10.0.0.1", "reason": "no trust"}`
	moment, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    review.Filter
		fits bool
	}{
		"none":           {review.Filter{}, true},
		"since":          {review.Filter{Since: moment.UnixNano()}, true},
		"since later":    {review.Filter{Since: moment.UnixNano() + 1}, false},
		"until":          {review.Filter{Until: moment.UnixNano()}, false},
		"domain":         {review.Filter{Domains: []string{"a.net"}}, true},
		"another domain": {review.Filter{Domains: []string{"b.net"}}, false},
		"client":         {review.Filter{Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, true},
		"another client": {review.Filter{Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.2/32")}}, false},
		"action":         {review.Filter{Actions: []string{"refuse"}}, false},
		"dialect":        {review.Filter{Dialects: []string{"pox"}}, false},
		"rule":           {review.Filter{Rules: []string{"pin"}}, false},
	} {
		if got := rows(t, reviewed(t, c.f, at+message+"\n"), "clients"); (len(got) == 1) != c.fits {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestParseMoment(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-20": "2026-11-20T00:00:00Z", "2026-11-20T10:30:00+02:00": "2026-11-20T08:30:00Z", "2026-11-20 10:30": "2026-11-20T10:30:00Z",
		"24h": "2026-11-23T12:00:00Z", "7d": "2026-11-17T12:00:00Z", "2w": "2026-11-10T12:00:00Z", "90m": "2026-11-24T10:30:00Z",
		"-1h": "", "7": "", "d": "", "": "", "99999999d": "", "20000w": "", "yesterday": "", "2026-13-01": "", "9999-12-31": "", "1500-01-01": "",
	} {
		got, err := review.ParseMoment(text, now)
		if (err != nil) != (want == "") || err == nil && time.Unix(0, got).UTC().Format(time.RFC3339) != want {
			t.Errorf("%q: got %v, %v; want %s", text, time.Unix(0, got).UTC(), err, want)
		}
	}
}
