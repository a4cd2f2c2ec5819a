package truststore

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Where programs keep their NSS databases.

// profile is one database.
type profile struct {
	program string
	dir     string
}

// family is a program with profiles: below each of roots is profiles.ini, and usually the profiles themselves. Roots are patterns below the home
// directory; those below snap and .var/app are of Snap and Flatpak packages, whatever these are called.
type family struct {
	program string
	roots   []string
}

var families = map[string][]family{
	"linux": {
		{"Thunderbird", []string{".thunderbird", "snap/*/common/.thunderbird", "snap/*/current/.thunderbird", ".var/app/*/.thunderbird", ".config/thunderbird", ".var/app/*/config/thunderbird"}},
		{"Firefox", []string{
			".mozilla/firefox", "snap/*/common/.mozilla/firefox", ".var/app/*/.mozilla/firefox", // below
			".config/mozilla/firefox", "snap/*/common/.config/mozilla/firefox", ".var/app/*/config/mozilla/firefox", // Firefox 147 and later, XDG
		}},
		{"LibreWolf", []string{".librewolf", ".var/app/*/.librewolf"}},
	},
	"darwin": {
		{"Thunderbird", []string{"Library/Thunderbird"}},
		{"Firefox", []string{"Library/Application Support/Firefox"}},
	},
	"windows": {
		{"Thunderbird", []string{"AppData/Roaming/Thunderbird"}},
		{"Firefox", []string{"AppData/Roaming/Mozilla/Firefox"}},
	},
}

// shared are databases that are no profiles: Chromium and its relatives, Evolution, and others use the user's. Newer Chromium uses the
// second where the first does not exist. On macOS and Windows they use the system's stores.
var shared = []string{".pki/nssdb", ".local/share/pki/nssdb", "snap/*/current/.pki/nssdb", "snap/*/current/.local/share/pki/nssdb", ".var/app/*/.pki/nssdb", ".var/app/*/data/pki/nssdb"}

// profiles finds every database there is below the home directory, each once.
func (s *Stores) profiles() []profile {
	var all []profile
	add := func(program, dir string) {
		dir = resolved(dir) // snap/x/current is a link to a revision
		if exists(filepath.Join(dir, "cert9.db")) && !slices.ContainsFunc(all, func(p profile) bool { return p.dir == dir }) {
			all = append(all, profile{program, dir})
		}
	}
	for _, f := range families[s.system] {
		for _, root := range append(s.globHome(f.roots), s.configured(f.roots)...) {
			for _, dir := range profileDirs(root) {
				add(f.program, dir)
			}
		}
	}
	if s.system == "linux" {
		for _, dir := range s.globHome(shared) {
			add("Chromium, Evolution", dir)
		}
	}
	return all
}

// configured are those patterns that mean something in the user's directory for configuration, where that is not .config in the home directory (XDG Base Directory
// Specification). Nobody knows it of another one's home.
func (s *Stores) configured(patterns []string) []string {
	dir := s.Getenv("XDG_CONFIG_HOME")
	if s.system != "linux" || !filepath.IsAbs(dir) || filepath.Clean(s.Getenv("HOME")) != filepath.Clean(s.Home) {
		return nil
	}
	var all []string
	for _, p := range patterns {
		if below, found := strings.CutPrefix(p, ".config/"); found {
			all = append(all, filepath.Join(dir, filepath.FromSlash(below)))
		}
	}
	return all
}

// globHome are the existing paths that the patterns mean in the home directory. The home directory's own name is no pattern.
func (s *Stores) globHome(patterns []string) []string {
	home := os.DirFS(s.Home)
	var all []string
	for _, p := range patterns {
		names, err := fs.Glob(home, p)
		if err != nil {
			continue // only of a bad pattern, and these are constants
		}
		for _, n := range names {
			all = append(all, filepath.Join(s.Home, filepath.FromSlash(n)))
		}
	}
	return all
}

// profileDirs are the directories that profiles.ini below root names, and those that lie there.
func profileDirs(root string) []string {
	var dirs []string
	text, err := readFile(filepath.Join(root, "profiles.ini"))
	if err == nil {
		dirs = listedProfiles(root, text)
	}
	for _, pattern := range []string{"*", "Profiles/*"} {
		names, err := fs.Glob(os.DirFS(root), pattern)
		if err != nil {
			continue
		}
		for _, n := range names {
			dirs = append(dirs, filepath.Join(root, filepath.FromSlash(n)))
		}
	}
	return dirs
}

// listedProfiles reads profiles.ini: a section [Profile0] has Path, which may be relative to root or, with IsRelative=0, absolute.
func listedProfiles(root string, text []byte) []string {
	var dirs []string
	scanner := bufio.NewScanner(bytes.NewReader(text))
	for scanner.Scan() {
		key, value, _ := strings.Cut(strings.TrimSpace(scanner.Text()), "=")
		if key != "Path" || value == "" {
			continue
		}
		dir := filepath.FromSlash(value)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(root, dir)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}
