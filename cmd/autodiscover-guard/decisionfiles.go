package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Which files a review reads.

// moved is what the guard puts behind the name of a file that it moves aside (package record), with the file's extension.
const moved = `-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}-(?:size|age)(?:_\d+)?(?:\.[^.]*)?`

var (
	// compressed is how such a file is called that is compressed, or has just been, behind the name that it had before.
	compressed = regexp.MustCompile(`^(.*` + moved + `)\.gz(?:\.tmp)?$`)
	// byGuard is what stands behind the name of the log. Another guard's file may begin with the same name.
	byGuard = regexp.MustCompile(`^` + moved + `(?:\.gz)?(?:\.tmp)?$`)
)

// distinct leaves out what stands there once more, under whatever name, so that no record counts twice: "decisions.jsonl decisions*.jsonl", say. Of a file that is being
// compressed the original is whole, until it is removed.
func distinct(files []string) []string {
	var seen []fs.FileInfo
	return slices.DeleteFunc(slices.Clone(files), func(name string) bool {
		if of := compressed.FindStringSubmatch(name); of != nil && slices.Contains(files, of[1]) {
			return true
		}
		info, err := os.Stat(name)
		if err != nil {
			return false // standard input, or what reading it will complain about
		}
		if slices.ContainsFunc(seen, func(other fs.FileInfo) bool { return os.SameFile(info, other) }) {
			return true
		}
		seen = append(seen, info)
		return false
	})
}

// decisions finds the decision log of a guard, and the files that were rotated out of it before.
func (f *setupFlags) decisions() ([]string, error) {
	c, err := f.config()
	if err != nil {
		return nil, err
	}
	name, err := whereDecisions(c)
	if err != nil {
		return nil, err
	}
	if !c.DecisionsInFile() {
		return nil, hint(fmt.Errorf("the decisions of this guard are in no file; where they are: %s", name), "name a file that has them, or - for the standard input")
	}
	if real, err := filepath.EvalSymlinks(name); err == nil { // beside which files are moved aside
		name = real
	}
	files, err := movedAside(name)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(name); err != nil {
		if len(files) > 0 {
			return files, nil
		}
		if errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		if c.State == "" && serviceHasState() {
			return nil, perhapsOfService(err)
		}
		return nil, hint(err, "run writes it; say which guard's it is, by --state DIR or --config FILE, or name the file")
	}
	return append(files, name), nil
}

// byLogrotate is what logrotate puts behind the name of a file that it moves aside: a number that grows with the age, or a day (dateext).
var byLogrotate = regexp.MustCompile(`^(?:\.(\d+)|-\d{8}(?:-\d+)?)(?:\.gz|\.zst)?$`)

// movedAside finds the files that a log was moved to, by the guard or by logrotate, the oldest of either first.
func movedAside(name string) ([]string, error) {
	dir, base, suffix := filepath.Dir(name), filepath.Base(name), filepath.Ext(name)
	in := os.DirFS(dir) // whose own name may have brackets
	files, err := fs.Glob(in, strings.TrimSuffix(base, suffix)+"-*"+suffix+"*")
	if err != nil {
		return nil, err
	}
	stem := len(base) - len(suffix)
	files = slices.DeleteFunc(files, func(file string) bool { return !byGuard.MatchString(file[stem:]) })
	slices.Sort(files)
	rotated, err := fs.Glob(in, base+"*")
	if err != nil {
		return nil, err
	}
	number := func(file string) string {
		if of := byLogrotate.FindStringSubmatch(strings.TrimPrefix(file, base)); of != nil {
			return of[1]
		}
		return ""
	}
	rotated = slices.DeleteFunc(rotated, func(file string) bool { return !byLogrotate.MatchString(strings.TrimPrefix(file, base)) })
	slices.SortFunc(rotated, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(number(b)), len(number(a))), strings.Compare(number(b), number(a)), strings.Compare(a, b))
	})
	files = append(rotated, files...)
	for i, file := range files {
		files[i] = filepath.Join(dir, file)
	}
	return files, nil
}
