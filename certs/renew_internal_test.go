package certs

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// When a renewal was last tried is said by the wall clock alone. Times that have a monotonic part are compared by that, and a computer that wakes up, or whose clock is
// set, a moment after a try that was in vain would be without certificates as long as it keeps others from trying. No test can set the two apart, so it is looked at.
func TestTried_wallClock(t *testing.T) {
	t.Parallel()
	a, err := Open(filepath.Join(t.TempDir(), "authority"), Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	check := func(when string) {
		t.Helper()
		if a.lastTry.IsZero() || strings.Contains(a.lastTry.String(), "m=") { // as String writes a monotonic part
			t.Errorf("%s: tried %v", when, a.lastTry)
		}
	}
	if err := a.Refresh(); err != nil {
		t.Fatal(err)
	}
	check("refreshed")
	a.lastTry = time.Time{}
	if _, err := a.tiersAt(time.Now().Add(70 * 24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	check("due")
}
