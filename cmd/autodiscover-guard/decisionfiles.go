package main

import (
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

// compressed is how a file is called that the guard has moved aside (package record) and compresses, or has just compressed, behind the name that it had before.
var compressed = regexp.MustCompile(`^(.*-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}-(?:size|age)(?:_\d+)?(?:\.[^.]*)?)\.gz(?:\.tmp)?$`)

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
	dir, base, suffix := filepath.Dir(name), filepath.Base(name), filepath.Ext(name)
	files, err := fs.Glob(os.DirFS(dir), strings.TrimSuffix(base, suffix)+"-*"+suffix+"*") // the directory's own name may have brackets
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		files[i] = filepath.Join(dir, file)
	}
	slices.Sort(files)
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
