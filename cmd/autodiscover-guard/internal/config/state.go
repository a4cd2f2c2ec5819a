package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

const programName = "autodiscover-guard"

// ServiceState is the state directory of a service of the system. Without State, only a service finds it: a person's commands have a place of their
// own, and do not take a service's for it.
const ServiceState = "/var/lib/" + programName

// StateDir is the directory for what the guard keeps: State, or else the usual place. It is absolute; it need not exist yet.
func (c *Config) StateDir() (string, error) {
	if c.State != "" {
		dir, err := filepath.Abs(c.State)
		if err != nil {
			return "", fmt.Errorf("finding the state directory %q: %w", c.State, err)
		}
		return dir, nil
	}
	return defaultStateDir(environment{system: runtime.GOOS, lookup: os.Getenv, uid: os.Geteuid()})
}

// DecisionsFile is the file of decision records, absolute, or "-" for the standard output.
func (c *Config) DecisionsFile() (string, error) {
	if c.Log.Decisions == "-" || filepath.IsAbs(c.Log.Decisions) {
		return c.Log.Decisions, nil
	}
	dir, err := c.StateDir()
	return filepath.Join(dir, c.Log.Decisions), err
}

// DecisionsInFile reports whether decision records go into a file, which can be read back.
func (c *Config) DecisionsInFile() bool {
	return (c.Log.Sink == "file" || c.Log.Sink == "") && c.Log.Decisions != "-"
}

// environment is what the usual place depends on.
type environment struct {
	system string
	lookup func(string) string
	uid    int
}

// defaultStateDir asks in this order: what systemd prepared (StateDirectory=, systemd.exec(5)), a service of the system without such a
// directory (INVOCATION_ID is set for whatever systemd starts), and the user's own place for state (XDG Base Directory Specification; on
// macOS and Windows the place for an application's data, which on Windows is the one that does not roam to other computers).
func defaultStateDir(s environment) (string, error) {
	if dirs := filepath.SplitList(s.lookup("STATE_DIRECTORY")); len(dirs) > 0 && filepath.IsAbs(dirs[0]) {
		return filepath.Clean(dirs[0]), nil
	}
	if s.uid == 0 && s.lookup("INVOCATION_ID") != "" {
		return ServiceState, nil
	}
	candidates := [][2]string{{"XDG_STATE_HOME", ""}, {"HOME", ".local/state"}}
	switch s.system {
	case "darwin", "ios":
		candidates[1][1] = "Library/Application Support"
	case "windows":
		candidates = [][2]string{{"LocalAppData", ""}, {"AppData", ""}}
	}
	for _, c := range candidates {
		if root := s.lookup(c[0]); filepath.IsAbs(root) { // the specification has relative ones ignored
			return filepath.Join(root, filepath.FromSlash(c[1]), programName), nil
		}
	}
	return "", errors.New(`finding the state directory: no home directory is known; name one, by --state or by "state" in the configuration`)
}
