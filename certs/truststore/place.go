package truststore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// place is one spot where the root can be put: what a store is made of. Install, verify and uninstall work on places and know no store.
type place struct {
	store   string
	program string // whose it is, for people
	path    string // names it, in reports and in the journal

	admin bool   // changing it is for the administrator
	skip  string // why nothing can be done here, if so

	files []string // what a change may touch; each is followed to where it really is
	trees []string // directories: whatever lies in them may be touched, too
	find  func(context.Context) (finding, error)
	put   []step
	// take is made from what find has found: a certificate may be there under another name than ours.
	take func(finding) []step
	undo string // by hand
	// vacant reports whether a text of the file says nothing, so that nobody would miss it. nil is never vacant.
	vacant func([]byte) bool

	// busy says why the files must not be replaced at the moment, if so. nil is never busy.
	busy func() string
	// programFirst: the store's program must run for taking out, as it keeps more than files lists; bytes are put back after it.
	programFirst bool

	note    string             // what people must know after a change
	explain func(error) string // says more about an error of put than that says itself, or nothing; nil explains nothing
}

// finding is what a place holds.
type finding struct {
	present  bool   // the root is there, and is trusted
	leftover bool   // something of ours is there, which is less than that
	how      string // how that is known, or what is wrong
	alias    string // the name under which it is there
}

// step is one thing to do: said first, by a dry run, then done.
type step struct {
	says string
	do   func(context.Context) error
}

// running is the step of running a program.
func (s *Stores) running(name string, args ...string) step {
	c := Command{Name: name, Args: args}
	return step{"run: " + c.String(), func(ctx context.Context) error {
		_, err := s.run(ctx, c)
		return err
	}}
}

// run runs a program. Where it is to read the root's file it reads the journal's copy, if there is one: that is the root, whatever another process, such as one
// that renews it, has put in the place of the other file meanwhile. Nobody but this user can exchange it.
func (s *Stores) run(ctx context.Context, c Command) ([]byte, error) {
	if copied := s.journal.rootFile(); exists(copied) {
		c.Args = slices.Clone(c.Args)
		for i, argument := range c.Args {
			if argument == s.RootFile {
				c.Args[i] = copied
			}
		}
	}
	return s.Run(ctx, c)
}

// writing is the step of writing a file that everybody may read, and the directories above it.
func writing(path string, text []byte) step {
	return step{"write " + path, func(context.Context) error {
		for _, dir := range missingDirs(filepath.Dir(path)) {
			err := os.Mkdir(dir, 0o755) //nolint:gosec // G301: what is in it is public, and every user's programs read it
			if err == nil {
				err = os.Chmod(dir, 0o755) //nolint:gosec // G302: the same; a umask may have taken some of it
			}
			if err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
		return replaceFile(path, text)
	}}
}

// removing is the step of removing a file, if it is there.
func removing(path string) step {
	return step{"remove " + path, func(context.Context) error { return removeFile(path) }}
}
