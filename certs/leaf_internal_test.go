package certs

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// The bound is tried with a small cache: ten thousand signatures would tell no more.
func TestLeaf_boundedCache(t *testing.T) {
	t.Parallel()
	a, err := Open(filepath.Join(t.TempDir(), "authority"), Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	const bound = 50
	if a.leaves, err = newLeafCache(bound); err != nil {
		t.Fatal(err)
	}
	for i := range 5 * bound {
		if _, err := a.Leaf(fmt.Sprintf("h%d.example.com", i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 * bound {
		if _, err := a.Leaf(fmt.Sprintf("h%d.example.net", i)); err == nil {
			t.Fatal("out of scope, but minted")
		}
	}
	a.leaves.CleanUp()
	if n := a.leaves.EstimatedSize(); n > bound {
		t.Errorf("cache has %d entries, want at most %d", n, bound)
	}
}

// A leaf that is made while the scope gets narrower comes into the cache after all others have been forgotten.
func TestLeaf_madeDuringRescope(t *testing.T) {
	t.Parallel()
	a, err := Open(filepath.Join(t.TempDir(), "authority"), Scope{Names: []string{"example.com", "lab.test"}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	late, err := a.mint(t.Context(), "mail.lab.test")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Rescope(Scope{Names: []string{"example.com"}}); err != nil {
		t.Fatal(err)
	}
	a.leaves.Set("mail.lab.test", late)
	_, err = a.Leaf("mail.lab.test")
	if _, outside := errors.AsType[*OutOfScopeError](err); !outside {
		t.Errorf("got %v, want that it is out of scope", err)
	}
}

// A goroutine that saw a stale leaf, and comes late, leaves the one that others have minted meanwhile.
func TestDropStale(t *testing.T) {
	t.Parallel()
	a, err := Open(filepath.Join(t.TempDir(), "authority"), Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.Leaf("example.com"); err != nil {
		t.Fatal(err)
	}
	a.dropStale("example.com", time.Now())
	if _, ok := a.leaves.GetIfPresent("example.com"); !ok {
		t.Error("a fresh leaf was dropped")
	}
	a.dropStale("example.com", time.Now().Add(leafLife))
	if _, ok := a.leaves.GetIfPresent("example.com"); ok {
		t.Error("a stale leaf was not dropped")
	}
}

// A clock that jumps back makes cached leaves "not yet valid". Time cannot go back in a synctest bubble, so the
// question is put to the entry.
func TestLeaf_freshByWallClock(t *testing.T) {
	t.Parallel()
	a, err := Open(filepath.Join(t.TempDir(), "authority"), Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	l, err := a.mint(t.Context(), "example.com")
	if err != nil {
		t.Fatal(err)
	}
	now, iss := time.Now(), a.tiers.Load()
	for name, tt := range map[string]struct {
		now  time.Time
		iss  *tiers
		want bool
	}{
		"now":                       {now, iss, true},
		"within the backdating":     {now.Add(-23 * time.Hour), iss, true},
		"clock two days back":       {now.Add(-48 * time.Hour), iss, false},
		"a third left":              {now.Add(leafLife * 2 / 3), iss, false},
		"just before":               {now.Add(leafLife*2/3 - time.Minute), iss, true},
		"long expired":              {now.Add(100 * leafLife), iss, false},
		"issuer has been succeeded": {now, &tiers{}, false},
	} {
		if got := l.fresh(tt.iss, tt.now); got != tt.want {
			t.Errorf("%s: fresh = %v", name, got)
		}
	}
}

// An issuing certificate made while the clock was years ahead is replaced once the clock is right.
func TestSigner_issuerFromTheFuture(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "authority")
	a, err := Open(dir, Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ahead, now := time.Now().AddDate(2, 0, 0), time.Now()
	future, err := a.tiersAt(ahead)
	if err != nil || !future.validAt(ahead) {
		t.Fatalf("two years ahead: %v", err)
	}
	iss, err := a.tiersAt(now)
	if err != nil || !iss.validAt(now) {
		t.Fatalf("back again: %v", err)
	}
	// And the same on disk, for a process that starts then.
	if _, err := a.tiersAt(ahead); err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir, Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if !b.tiers.Load().validAt(now) {
		t.Error("opened with an issuing certificate from the future")
	}
}
