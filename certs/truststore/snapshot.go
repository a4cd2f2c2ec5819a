package truststore

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// snapshot is what a place's files were before a change.
type snapshot struct {
	entries []entry
	dirs    []string // that did not exist, outer ones first
}

type entry struct {
	path string
	content
}

// takeSnapshot reads what a change of the place may touch: its files, each where it really is, and what lies in its trees, links as links.
func takeSnapshot(p place) (snapshot, error) {
	var s snapshot
	for _, f := range p.files {
		path := resolved(f)
		text, err := readFile(path)
		if err != nil {
			return s, err
		}
		s.entries = append(s.entries, entry{path, content{text: text}})
		s.noteMissing(filepath.Dir(path))
	}
	for _, tree := range p.trees {
		names, err := os.ReadDir(tree)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s, err
		}
		for _, n := range names {
			path := filepath.Join(tree, n.Name())
			if n.IsDir() || s.has(path) {
				continue
			}
			c, err := readContent(path)
			if err != nil {
				return s, err
			}
			s.entries = append(s.entries, entry{path, c})
		}
	}
	return s, nil
}

// noteMissing keeps which directories a file will need that are not there.
func (s *snapshot) noteMissing(dir string) {
	for _, dir := range missingDirs(dir) {
		if !slices.Contains(s.dirs, dir) {
			s.dirs = append(s.dirs, dir)
		}
	}
}

// missingDirs are a directory and those above it, as far as they do not exist, outer ones first.
func missingDirs(dir string) []string {
	var missing []string
	for ; !exists(dir) && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		missing = append(missing, dir)
	}
	slices.Reverse(missing)
	return missing
}

func (s *snapshot) has(path string) bool {
	return slices.ContainsFunc(s.entries, func(e entry) bool { return e.path == path })
}

// readContent reads what there is at a path.
func readContent(path string) (content, error) {
	link, err := os.Readlink(path)
	if err == nil {
		return content{link: link}, nil
	}
	text, err := readFile(path)
	return content{text: text}, err
}

// putBack makes every path what it was.
func (s *snapshot) putBack() error {
	var errs []error
	for _, e := range s.entries {
		now, err := readContent(e.path)
		if err == nil && now.digest() != e.digest() {
			err = e.putBack(now)
		}
		errs = append(errs, err)
	}
	removeDirs(s.dirs)
	return errors.Join(errs...)
}

func (e entry) putBack(now content) error {
	switch {
	case e.link != "":
		tmp := filepath.Join(filepath.Dir(e.path), ".new-"+rand.Text())
		if err := os.Symlink(e.link, tmp); err != nil {
			return err
		}
		return os.Rename(tmp, e.path)
	case e.text == nil:
		return removeFile(e.path)
	case now.link != "": // the file itself is to be written, not what the link points to
		if err := removeFile(e.path); err != nil {
			return err
		}
	}
	return replaceFile(e.path, e.text)
}

// record tells what has changed since the snapshot.
func (s *snapshot) record(p place) (*record, error) {
	after, err := takeSnapshot(p)
	if err != nil {
		return nil, err
	}
	r := s.begin(p)
	r.Begun = false
	for _, now := range after.entries {
		var before content
		if i := slices.IndexFunc(s.entries, func(e entry) bool { return e.path == now.path }); i >= 0 {
			before = s.entries[i].content
		}
		if before.digest() != now.digest() {
			r.Files = append(r.Files, difference(now.path, before, now.content))
		}
	}
	for _, e := range s.entries {
		if !after.has(e.path) {
			r.Files = append(r.Files, difference(e.path, e.content, content{}))
		}
	}
	return r, nil
}

// begin is the record of a change that is about to be made: what a kill leaves of it can be cleared by that.
func (s *snapshot) begin(p place) *record {
	r := &record{Store: p.store, Path: p.path, Dirs: s.dirs, Begun: true}
	for _, e := range s.entries {
		r.Vacant = r.Vacant || p.vacant != nil && e.path == p.path && p.vacant(e.text)
	}
	return r
}

// owns reports whether a path is one that a change of the place may touch.
func (p place) owns(path string) bool {
	return slices.ContainsFunc(p.files, func(f string) bool { return resolved(f) == path }) || slices.Contains(p.trees, filepath.Dir(path))
}
