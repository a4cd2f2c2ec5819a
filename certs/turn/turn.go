// Package turn has processes that change the files of one directory do so one at a time, where those files have to fit each other. What keeps them apart is a
// lock on the directory itself (flock(2)): nothing is left of it, and the end of a process, however it comes, releases it.
package turn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// pause is between two looks at a lock that somebody else has.
const pause = 5 * time.Millisecond

// ErrTaken says that it was another process's turn for all the time that was to be waited.
var ErrTaken = errors.New("another process is changing it")

// Take begins a turn on a directory and returns what ends it. Somebody else's is waited for, as long as patience and ctx last: who has it may have been
// stopped in the middle. Windows and file systems without such locks keep nobody off.
func Take(ctx context.Context, dir string, patience time.Duration) (end func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for begun := time.Now(); errors.Is(lock(d), ErrTaken); {
		if time.Since(begun) >= patience {
			_ = d.Close()
			if patience == 0 {
				return nil, fmt.Errorf("%q: %w", dir, ErrTaken)
			}
			return nil, fmt.Errorf("%q: %w, for %v already", dir, ErrTaken, patience)
		}
		select {
		case <-ctx.Done():
			_ = d.Close()
			return nil, fmt.Errorf("waiting for %q: %w", dir, ctx.Err())
		case <-time.After(pause):
		}
	}
	return func() { _ = d.Close() }, nil
}
