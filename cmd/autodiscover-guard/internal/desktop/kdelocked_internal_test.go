//go:build linux

package desktop

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// configured is a computer whose administrator has a directory of settings for everybody.
type configured struct {
	Runner
	dir string
}

func (c configured) Run(ctx context.Context, name string, args ...string) (string, error) {
	if name == "env" {
		args = append([]string{"XDG_CONFIG_DIRS=" + c.dir}, args...)
	}
	return c.Runner.Run(ctx, name, args...)
}

// What an administrator has locked for everybody goes before the user's file, which would be written in vain, and be said to be on.
func TestKDE_lockedForEverybody(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("kwriteconfig6"); err != nil {
		if _, err := exec.LookPath("kwriteconfig5"); err != nil {
			t.Skip("neither kwriteconfig6 nor kwriteconfig5 is installed")
		}
	}
	for text, locked := range map[string]string{
		"[Proxy Settings]\nProxyType=1\n":       "",
		"[Proxy Settings][$i]\nProxyType=1\n":   "ProxyType",
		"[Proxy Settings]\nProxyType[$i]=1\n":   "ProxyType",
		"[$i]\n[Proxy Settings]\nProxyType=1\n": "ProxyType",
		"[A][$i]\nProxyType=1\n":                "",
		"[Proxy Settings][$i]\nProxyType=2\nProxy Config Script=http://127.0.0.1:8081/proxy.pac\n": "",
	} {
		s, run := realWorld(t)
		s.Run = configured{run, filepath.Join(s.Home, "xdg")}
		must(t, os.Mkdir(filepath.Join(s.Home, "xdg"), 0o700))
		must(t, os.WriteFile(filepath.Join(s.Home, "xdg", "kioslaverc"), []byte(text), 0o600))
		desk := New(Config{State: filepath.Join(s.Home, "state"), System: s})
		results, err := desk.On(t.Context(), guard, Options{Only: []string{"kde"}})
		must(t, err)
		state, note := On, ""
		if locked != "" {
			state, note = Failed, "left as it is: the computer's administrator has locked "+locked
		}
		if results[0].State != state || results[0].Note != note {
			t.Errorf("%q: got %s, %s", text, results[0].State, results[0].Note)
		}
		if made := exists(filepath.Join(s.Home, ".config", "kioslaverc")); made != (locked == "") {
			t.Errorf("%q: the file is there: %t", text, made)
		}
		results, err = desk.Off(t.Context(), Options{})
		must(t, err)
		allGood(t, results)
		if exists(filepath.Join(s.Home, ".config")) {
			t.Errorf("%q: something is left", text)
		}
	}
}
