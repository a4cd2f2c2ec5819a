package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
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

// defaultDecisions finds the decision log of a guard without a configuration, and the files that were rotated out of it before.
func defaultDecisions() ([]string, error) {
	name, err := config.Default().DecisionsFile()
	if err != nil {
		return nil, err
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
		if serviceHasState() {
			return nil, hint(err, "name the file; a service has its own in %s", config.ServiceState)
		}
		return nil, hint(err, "name the file: log.decisions in the configuration says where it is; run writes it")
	}
	return append(files, name), nil
}
