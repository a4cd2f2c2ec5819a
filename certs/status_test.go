package certs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"autodiscover-guard/certs"
)

func TestLevelOf(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]certs.Level{
		61 * oneDay:            certs.LevelFine,
		60*oneDay + 1:          certs.LevelFine,
		60 * oneDay:            certs.LevelNotice,
		30*oneDay + 1:          certs.LevelNotice,
		30 * oneDay:            certs.LevelWarning,
		7*oneDay + 1:           certs.LevelWarning,
		7 * oneDay:             certs.LevelUrgent,
		0:                      certs.LevelUrgent,
		-1:                     certs.LevelExpired,
		-100 * 365 * oneDay:    certs.LevelExpired,
		100 * 365 * 2 * oneDay: certs.LevelFine,
	} {
		if got := certs.LevelOf(left); got != want {
			t.Errorf("%v left: %v, want %v", left, got, want)
		}
	}
	if got := certs.Level(0).String(); got != "Level(0)" {
		t.Errorf("the zero level is called %s", got)
	}
}

// With the root's key there is nothing to warn of for years; without it, at 60, 30 and 7 days.
func TestStatus_warnings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := place(t)
		a := open(t, dir, "example.com")
		key := filepath.Join(dir, "root.key")
		text := read(t, key)
		// Renewed it should be by then: who looks on may be allowed to read a key that the guard is not.
		for left, want := range map[int]int{8: 0, 7: 1, 1: 1} {
			if s := a.Status(a.Issuing().NotAfter.AddDate(0, 0, -left)); len(s.Warnings) != want || want == 1 && s.Warnings[0].Level != certs.LevelUrgent {
				t.Errorf("%d days left, and the root's key is here: %+v, want %d", left, s.Warnings, want)
			}
		}
		for range 20 {
			time.Sleep(25 * oneDay)
			if err := a.Refresh(); err != nil {
				t.Fatal(err)
			}
			if s := a.Status(time.Now()); len(s.Warnings) != 0 || s.RootKey != certs.KeyPresent || !s.Own {
				t.Fatalf("with the root's key: %+v", s)
			}
		}
		if err := a.Renew(); err != nil {
			t.Fatal(err)
		}
		remove(t, key)
		var levels []string
		for day := range 92 {
			s := a.Status(time.Now())
			if s.RootKey != certs.KeyAbsent {
				t.Fatalf("root key is %v", s.RootKey)
			}
			level := certs.LevelFine
			for _, w := range s.Warnings {
				if strings.HasPrefix(w.Text, "issuing certificate") {
					level = w.Level
					if !strings.Contains(w.Cure, "put root.key back for a moment") {
						t.Errorf("day %d: cure %q", day, w.Cure)
					}
				}
			}
			if len(levels) == 0 || levels[len(levels)-1] != level.String() {
				levels = append(levels, level.String())
			}
			_ = a.Refresh() // without the key it cannot work
			time.Sleep(oneDay)
		}
		if want := []string{"fine", "notice", "warning", "urgent", "expired"}; !slices.Equal(levels, want) {
			t.Errorf("levels were %v, want %v", levels, want)
		}
		// For a command, an authority whose time is over is still to be shown, and renewed.
		b, err := certs.OpenExisting(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if s := b.Status(time.Now()); len(s.Warnings) != 1 || s.Warnings[0].Level != certs.LevelExpired {
			t.Errorf("warnings %+v", s.Warnings)
		}
		write(t, key, text)
		if err := b.Renew(); err != nil {
			t.Fatal(err)
		}
		if err := a.Refresh(); err != nil || !a.Issuing().Equal(b.Issuing()) {
			t.Errorf("the running process did not take it over: %v", err)
		}
		if s := a.Status(time.Now()); len(s.Warnings) != 0 {
			t.Errorf("warnings %+v", s.Warnings)
		}
	})
}

// Before its time an authority signs for nobody, as behind it. A computer whose clock lost its battery is told what to look at.
func TestStatus_clockBehind(t *testing.T) {
	t.Parallel()
	a := open(t, place(t), "example.com")
	now := time.Now()
	if s := a.Status(now); len(s.Warnings) != 0 {
		t.Errorf("now: %+v", s.Warnings)
	}
	s := a.Status(now.Add(-2 * oneDay))
	if len(s.Warnings) != 1 || s.Warnings[0].Level != certs.LevelUrgent || !strings.Contains(s.Warnings[0].Text, "clock says "+now.Add(-2*oneDay).UTC().Format(time.DateOnly)) {
		t.Errorf("two days before: %+v", s.Warnings)
	}
}

func TestOpenExisting(t *testing.T) {
	t.Parallel()
	dir := place(t)
	if _, err := certs.OpenExisting(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was made")
	}
	if _, err := certs.OpenExisting(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
	open(t, dir, "example.com", "test")
	before := snapshot(t, dir)
	a, err := certs.OpenExisting(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if got := a.Status(time.Now()).Names; !slices.Equal(got, []string{"example.com", "test"}) {
		t.Errorf("names %q", got)
	}
	if !slices.Equal(a.Scope().Names, []string{"example.com", "test"}) || snapshot(t, dir) != before {
		t.Error("another scope, or something was changed")
	}
	mint(t, a)
}
