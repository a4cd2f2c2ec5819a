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
		base := filepath.Join(d.config.System.Home, filepath.FromSlash(root.dir))
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
	return all
}

// profileDirs are the paths in the sections [Profile0], [Profile1] …
func profileDirs(ini string) []string {
	var dirs []string
	inside := false
	for line := range strings.Lines(ini) {
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
