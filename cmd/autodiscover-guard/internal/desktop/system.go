package desktop

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// System is the computer and the user whose settings are meant. [ThisSystem] is the usual one.
type System struct {
	// OS is a GOOS: linux, darwin, windows, or another Unix, which is treated as linux.
	OS string
	// Root is put before the paths that belong to the system, not to the user: empty but in tests.
	Root string
	// Home is the user's home directory.
	Home string
	// Getenv reads the environment.
	Getenv func(string) string
	// Run starts programs.
	Run Runner
	// MayWrite reports whether a file can be written, or made.
	MayWrite func(path string) bool
	// InUse reports whether a program holds a profile directory.
	InUse func(dir string) bool
}

// ThisSystem is this computer, and the user that runs the process.
func ThisSystem() (System, error) {
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		return System{}, errors.Join(errors.New("finding the settings: no home directory is known"), err)
	}
	return System{
		OS: runtime.GOOS, Home: home, Getenv: os.Getenv, Run: programs{os.Environ}, MayWrite: mayWrite, InUse: profileInUse,
	}, nil
}

// configHome is the user's directory for configuration (XDG Base Directory Specification; relative ones are ignored there).
func (s System) configHome() string {
	if dir := s.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(s.Home, ".config")
}

// system is a path that belongs to the system.
func (s System) system(path string) string { return filepath.Join(s.Root, filepath.FromSlash(path)) }

// exists reports whether one of these paths exists.
func exists(paths ...string) bool {
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			return true
		}
	}
	return false
}
