package desktop

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// profile is a directory with somebody's preferences.
type profile struct {
	dir       string
	sandboxed bool
}

// profiles are those that a program knows of (profiles.ini, toolkit/profile/nsToolkitProfileService.cpp) and that have been used.
func (d *Desktop) profiles(a application) []profile {
	var all []profile
	for _, root := range a.profiles {
		for _, base := range d.config.System.homes(root.dir) {
			text, err := os.ReadFile(filepath.Join(base, "profiles.ini"))
			if err != nil {
				continue
			}
			for _, dir := range profileDirs(string(text)) {
				if !filepath.IsAbs(dir) {
					dir = filepath.Join(base, filepath.FromSlash(dir))
				}
				if p := (profile{dir, root.sandboxed}); exists(dir) && !slices.Contains(all, p) {
					all = append(all, p)
				}
			}
		}
	}
	return all
}

// homes are where a directory of the home directory may be.
func (s System) homes(dir string) []string {
	all := []string{filepath.Join(s.Home, filepath.FromSlash(dir))}
	if below, found := strings.CutPrefix(dir, ".config/"); found {
		all = append(all, filepath.Join(s.configHome(), filepath.FromSlash(below)))
	}
	return slices.Compact(all)
}

// profileDirs are the paths in the sections [Profile0], [Profile1] … An editor's byte order mark before them is skipped (xpcom/base/nsINIParser.cpp).
func profileDirs(ini string) []string {
	var dirs []string
	inside := false
	for line := range strings.Lines(strings.TrimPrefix(ini, "\ufeff")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inside = strings.HasPrefix(line, "[Profile")
		}
		if path, found := strings.CutPrefix(line, "Path="); found && inside && path != "" {
			dirs = append(dirs, path)
		}
	}
	return dirs
}
