package config

import (
	"path/filepath"
	"runtime"
	"testing"
)

func TestUsualState(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the paths here are those of other systems")
	}
	for name, c := range map[string]struct {
		system string
		uid    int
		env    map[string]string
		want   string
	}{
		"a user":                     {"linux", 1000, map[string]string{"HOME": "/home/u"}, "/home/u/.local/state/autodiscover-guard"},
		"a user with XDG":            {"linux", 1000, map[string]string{"HOME": "/home/u", "XDG_STATE_HOME": "/s"}, "/s/autodiscover-guard"},
		"a relative XDG is ignored":  {"linux", 1000, map[string]string{"HOME": "/home/u", "XDG_STATE_HOME": "s"}, "/home/u/.local/state/autodiscover-guard"},
		"a user's service":           {"linux", 1000, map[string]string{"HOME": "/home/u", "INVOCATION_ID": "1"}, "/home/u/.local/state/autodiscover-guard"},
		"root by hand":               {"linux", 0, map[string]string{"HOME": "/home/admin"}, "/home/admin/.local/state/autodiscover-guard"},
		"root as a service":          {"linux", 0, map[string]string{"HOME": "/root", "INVOCATION_ID": "1"}, "/var/lib/autodiscover-guard"},
		"a service without a home":   {"linux", 0, map[string]string{"INVOCATION_ID": "1"}, "/var/lib/autodiscover-guard"},
		"systemd's directory":        {"linux", 61000, map[string]string{"STATE_DIRECTORY": "/var/lib/private/g"}, "/var/lib/private/g"},
		"systemd's first directory":  {"linux", 0, map[string]string{"STATE_DIRECTORY": "/var/lib/g:/var/lib/h", "INVOCATION_ID": "1"}, "/var/lib/g"},
		"a relative directory":       {"linux", 1000, map[string]string{"STATE_DIRECTORY": "g", "HOME": "/home/u"}, "/home/u/.local/state/autodiscover-guard"},
		"macOS":                      {"darwin", 501, map[string]string{"HOME": "/Users/u"}, "/Users/u/Library/Application Support/autodiscover-guard"},
		"macOS with XDG":             {"darwin", 501, map[string]string{"HOME": "/Users/u", "XDG_STATE_HOME": "/s"}, "/s/autodiscover-guard"},
		"Windows":                    {"windows", -1, map[string]string{"LocalAppData": "/local", "AppData": "/roaming"}, "/local/autodiscover-guard"},
		"Windows without local data": {"windows", -1, map[string]string{"AppData": "/roaming"}, "/roaming/autodiscover-guard"},
		"nothing":                    {"linux", 1000, nil, ""},
	} {
		got, err := defaultStateDir(environment{system: c.system, uid: c.uid, lookup: func(key string) string { return c.env[key] }})
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
}

func TestConfig_StateDir_is_absolute(t *testing.T) {
	t.Chdir(t.TempDir())
	want, err := filepath.Abs("here")
	if err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.State = "here"
	if got, err := c.StateDir(); got != want || err != nil {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if got, err := c.DecisionsFile(); got != filepath.Join(want, "decisions.jsonl") || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for _, file := range []string{"-", filepath.Join(t.TempDir(), "d.jsonl")} {
		c.Log.Decisions = file
		if got, err := c.DecisionsFile(); got != file || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, file)
		}
	}
	for _, name := range []string{"STATE_DIRECTORY", "INVOCATION_ID", "XDG_STATE_HOME", "HOME", "LocalAppData", "AppData"} {
		t.Setenv(name, "")
	}
	if got, err := Default().DecisionsFile(); err == nil {
		t.Errorf("got %q where there is no home", got)
	}
}
