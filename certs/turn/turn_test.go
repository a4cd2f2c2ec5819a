package turn_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"autodiscover-guard/certs/turn"
)

// unlocked skips where nothing can be locked.
func unlocked(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	end, err := turn.Take(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	if second, err := turn.Take(t.Context(), dir, 0); err == nil {
		second()
		t.Skip("directories cannot be locked here")
	}
}

// One at a time.
func TestTake(t *testing.T) {
	t.Parallel()
	unlocked(t)
	dir := t.TempDir()
	var inside atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				end, err := turn.Take(t.Context(), dir, time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d at once", n)
				}
				inside.Add(-1)
				end()
			}
		})
	}
	all.Wait()
}

// It is waited as long as was said, until then or until nobody wants to wait any more.
func TestTake_patience(t *testing.T) {
	t.Parallel()
	unlocked(t)
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		end, err := turn.Take(t.Context(), dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if _, err := turn.Take(t.Context(), dir, time.Minute); !errors.Is(err, turn.ErrTaken) || time.Since(begun) < time.Minute {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := turn.Take(ctx, dir, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want that the wait was given up", err)
		}
		time.AfterFunc(time.Second, end)
		after, err := turn.Take(t.Context(), dir, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		after()
		if _, err := turn.Take(t.Context(), filepath.Join(dir, "gone"), time.Minute); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want that there is none", err)
		}
	})
}
