package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"autodiscover-guard/certs"
)

// An authority without its root's key is spoken of 60, 30 and 7 days before its end, and every day from then on; with the key back, no more.
func TestTendAuthority(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "authority")
		a, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		key := filepath.Join(dir, "root.key")
		if err := os.Rename(key, key+".away"); err != nil {
			t.Fatal(err)
		}
		core, logged := observer.New(zap.WarnLevel)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		start := time.Now()
		go watchAuthority(ctx, a, zap.New(core))
		days := func(n int) {
			t.Helper()
			time.Sleep(time.Until(start.Add(time.Duration(n)*24*time.Hour + time.Minute)))
			synctest.Wait()
		}
		said := func() (levels []string) {
			for _, e := range logged.TakeAll() {
				level, ok := e.ContextMap()["pressing"].(string)
				if !ok || e.Message != messageAuthority {
					t.Fatalf("logged %v", e)
				}
				levels = append(levels, level)
			}
			return levels
		}
		days(29)
		if got := said(); got != nil {
			t.Errorf("61 days before the end: %v", got)
		}
		days(31)
		if got := said(); !slices.Equal(got, []string{"notice", "notice"}) {
			t.Errorf("in two days from 60 before the end: %v", got)
		}
		days(59)
		said()
		days(61) // two warnings now: renewing has been tried
		if got := said(); !slices.Contains(got, "warning") {
			t.Errorf("29 days before the end: %v", got)
		}
		days(84)
		if got := said(); !slices.Contains(got, "urgent") {
			t.Errorf("6 days before the end: %v", got)
		}
		days(91)
		if got := said(); !slices.Contains(got, "expired") {
			t.Errorf("after the end: %v", got)
		}
		if err := os.Rename(key+".away", key); err != nil {
			t.Fatal(err)
		}
		days(92)
		said()
		days(250) // over two renewals
		if got := said(); got != nil {
			t.Errorf("with the root's key: %v", got)
		}
		cancel()
		synctest.Wait()
	})
}

// The wall clock may jump either way, which no ticker sees.
func TestReminder(t *testing.T) {
	t.Parallel()
	now := time.Now()
	one := []certs.Warning{{Level: certs.LevelWarning}}
	var r reminder
	for i, c := range []struct {
		after    time.Duration
		warnings []certs.Warning
		want     bool
	}{
		{0, nil, false},
		{0, one, true},
		{time.Hour, one, false},
		{2 * time.Hour, []certs.Warning{{Level: certs.LevelUrgent}}, true},
		{3 * time.Hour, one, false},
		{27 * time.Hour, one, true},
		{20 * time.Hour, one, true}, // set back
		{300 * 24 * time.Hour, one, true},
		{300*24*time.Hour + time.Minute, nil, false},
		{300*24*time.Hour + 2*time.Minute, one, true},
	} {
		if got := r.due(now.Add(c.after), c.warnings); got != c.want {
			t.Errorf("%d: after %v: due %v", i, c.after, got)
		}
	}
}

type fixed struct{ status certs.Status }

func (fixed) Refresh() error                  { return errors.New("no") }
func (k fixed) Status(time.Time) certs.Status { return k.status }

func TestAuthorityFigures(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "authority")
	a, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	s := a.Status(time.Now())
	s.Ends = time.Now().Add(-36 * time.Hour)
	wants := map[string]string{
		`expiry_days{certificate="issuing"}`:                 "-1.5",
		`expiry_days{certificate="root"}`:                    "3649.9",
		`not_after_timestamp_seconds{certificate="issuing"}`: strconv.FormatInt(s.Ends.Unix(), 10),
		`not_after_timestamp_seconds{certificate="root"}`:    strconv.FormatInt(s.Root.NotAfter.Unix(), 10),
		"root_key_present":                                   "1",
		"warnings":                                           "0",
	}
	figuresAre(t, s, wants)
	s.RootKey, s.Warnings = certs.KeyAbsent, make([]certs.Warning, 2)
	wants["root_key_present"], wants["warnings"] = "0", "2"
	figuresAre(t, s, wants)
}

func figuresAre(t *testing.T, s certs.Status, wants map[string]string) {
	t.Helper()
	set := metrics.NewSet()
	authorityFigures(fixed{s}, set)
	var b strings.Builder
	set.WritePrometheus(&b)
	for name, value := range wants {
		if !strings.Contains("\n"+b.String(), "\n"+ourMetrics+"authority_"+name+" "+value) {
			t.Errorf("no %s %s in\n%s", name, value, b.String())
		}
	}
}
