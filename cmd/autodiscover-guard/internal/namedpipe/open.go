// Package namedpipe opens files that somebody names, and waits for ever for nobody who would have to open them, too.
//
// A named pipe in the place of a file is opened when somebody opens it to write, who may be late: whatever hands out secrets at the computer's start, say. Where
// nobody comes, a dry run would hang, and a reload, and with it all later ones. Who has come may take his time: what <(…) runs asks for a password first, perhaps.
package namedpipe

import (
	"fmt"
	"io/fs"
	"os"
	"time"
)

// patience is how long somebody who writes is waited for, well below the minute and a half that a service manager has.
const patience = 30 * time.Second

// Open opens the file for reading.
func Open(path string) (*os.File, error) { return open(path, patience) }

func open(path string, patience time.Duration) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return os.Open(path) // which says what is wrong in its own words
	}
	type result struct {
		f   *os.File
		err error
	}
	opened := make(chan result, 1)
	go func() {
		f, err := os.Open(path)
		opened <- result{f, err}
	}()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case r := <-opened:
		return r.f, r.err
	case <-late.C:
	}
	if err := wake(path); err == nil { // else it waits on: the pipe is not ours to write to
		if r := <-opened; r.err == nil {
			_ = r.f.Close()
		}
	}
	return nil, fmt.Errorf("%s is a pipe, and nobody has written to it for %v", path, patience)
}
