package review_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

func TestConverters(t *testing.T) {
	for _, format := range []review.Format{review.FormatECS, review.FormatOCSF} {
		t.Run(string(format), func(t *testing.T) {
			var got bytes.Buffer
			c := review.NewConverter(review.Filter{}, format, &got)
			if _, err := review.Read(t.Context(), review.Sources{Files: []string{"-"}, Stdin: strings.NewReader(strings.Join(golden(t), "\n"))}, c); err != nil || c.Err() != nil {
				t.Fatal(err, c.Err())
			}
			name := filepath.Join("testdata", string(format)+".golden.json")
			if *update {
				if err := os.WriteFile(name, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, got.Bytes()) {
				t.Errorf("differs from %s (-update rewrites it):\n%s", name, &got)
			}
		})
	}
}

// A document with a value that its schema does not have is turned away whole: Elasticsearch knows no zones of addresses, OCSF 1.5 eight methods.
func TestConverters_schema(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		record entry
		format review.Format
		want   string
		not    string
	}{
		{entry{"client": "fe80::1%eth0"}, review.FormatECS, `"client":{"address":"fe80::1%eth0","ip":"fe80::1"}`, `"ip":"fe80::1%`},
		{entry{"client": "fe80::1%eth0"}, review.FormatECS, `"ip":["fe80::1"]`, `"ip":["fe80::1%`},
		{entry{"client": "nobody"}, review.FormatECS, `"ip":[]`, `"ip":"nobody"`},
		{entry{"method": "PROPFIND"}, review.FormatOCSF, `"activity_id":99,"activity_name":"PROPFIND"`, `"http_method"`},
		{entry{"method": "PATCH"}, review.FormatOCSF, `"type_uid":400299`, `"http_method"`},
		{entry{"method": "get"}, review.FormatOCSF, `"http_method":"GET"`, `"activity_name"`},
		{entry{"method": "TRACE"}, review.FormatOCSF, `"type_uid":400208`, `"activity_name"`},
	} {
		var got bytes.Buffer
		converter := review.NewConverter(review.Filter{}, c.format, &got)
		if _, err := review.Read(t.Context(), review.Sources{Files: []string{"-"}, Stdin: strings.NewReader(line(t, c.record) + "\n")}, converter); err != nil || converter.Err() != nil {
			t.Fatal(err, converter.Err())
		}
		if text := got.String(); !strings.Contains(text, c.want) || strings.Contains(text, c.not) {
			t.Errorf("%v as %s: want %s and not %s in %s", c.record, c.format, c.want, c.not, text)
		}
	}
}

// Whatever was not stopped is an alert, and nothing else is.
func TestConverters_alerts(t *testing.T) {
	secret, none := entry{"present": true, "scheme": "basic", "forwarded": true}, entry{"present": false, "scheme": "", "forwarded": false}
	for name, c := range map[string]struct {
		record entry
		alert  bool
	}{
		"a stranger, kept back":               {entry{}, false},
		"a stranger, and a rule monitors":     {entry{"mode": "monitor", "action": "pass", "would": "refuse", "credentials": none}, true},
		"a rule monitors, and nobody is told": {entry{"mode": "monitor", "action": "pass", "would": "refuse", "credentials": none, "suggestions": []entry{}}, false},
		"a password that went":                {entry{"credentials": secret, "suggestions": []entry{}}, true},
	} {
		log := line(t, c.record) + "\n" + line(t, entry{"rule": "another"}) + "\n" // which the filter keeps out
		convert := func(format review.Format, out io.Writer) error {
			converter := review.NewConverter(review.Filter{Rules: []string{"documentation"}}, format, out)
			if _, err := review.Read(t.Context(), review.Sources{Files: []string{"-"}, Stdin: strings.NewReader(log)}, converter); err != nil {
				t.Fatal(err)
			}
			return converter.Err()
		}
		var ecs, ocsf bytes.Buffer
		var got struct {
			Event       struct{ Kind string }
			IsAlert     bool `json:"is_alert"`
			Severity    int  `json:"severity_id"`
			Disposition int  `json:"disposition_id"`
			Action      int  `json:"action_id"`
		}
		if err := errors.Join(convert(review.FormatECS, &ecs), convert(review.FormatOCSF, &ocsf), json.Unmarshal(ecs.Bytes(), &got), json.Unmarshal(ocsf.Bytes(), &got)); err != nil {
			t.Fatal(err)
		}
		alert := got.Event.Kind == "alert" && got.Severity == 4 && got.Disposition == 19 && got.Action == 1 // high; alert; allowed
		if alert != c.alert || got.IsAlert != c.alert || (got.Event.Kind == "alert") != c.alert {
			t.Errorf("%s: got %+v", name, got)
		}
		if err := convert(review.FormatECS, full{}); !errors.Is(err, errFull) {
			t.Errorf("what cannot be written: %v", err)
		}
	}
}

var errFull = errors.New("no space left on device")

// full is where nothing can be written.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// A duration in nanoseconds is none before the question, however long a log says that it took.
func TestConverters_duration(t *testing.T) {
	t.Parallel()
	for ms, want := range map[int64]int64{3: 3_000_000, -1: 0, math.MinInt64: 0, math.MaxInt64 / 1000: math.MaxInt64 / 1_000_000 * 1_000_000} {
		var out bytes.Buffer
		c := review.NewConverter(review.Filter{}, review.FormatECS, &out)
		if _, err := review.Read(t.Context(), review.Sources{Files: []string{"-"}, Stdin: strings.NewReader(line(t, entry{"took_ms": ms}) + "\n")}, c); err != nil {
			t.Fatal(err)
		}
		var got struct{ Event struct{ Duration int64 } }
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Event.Duration != want {
			t.Errorf("%d ms: got %d, %v, want %d", ms, got.Event.Duration, err, want)
		}
	}
}
