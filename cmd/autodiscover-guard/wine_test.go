package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestWindows plays what somebody does with the program on Windows, in Wine: the nearest to Windows that runs here. Wine's certutil.exe puts no certificate anywhere, and
// Schannel is not Wine's own, so of both nothing is said.
func TestWindows(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"wine", "curl"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(name + " is not installed")
		}
	}
	if testing.Short() {
		t.Skip("builds the program for Windows")
	}
	dir := t.TempDir()
	guard := filepath.Join(dir, program+".exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", guard, ".")
	build.Env = append(os.Environ(), "GOOS=windows", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wine := []string{"WINEPREFIX=" + filepath.Join(dir, "prefix"), "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml="}
	version := exec.CommandContext(t.Context(), "wine", guard, "version")
	version.Env = append(os.Environ(), wine...)
	if out, err := version.CombinedOutput(); err != nil {
		t.Skipf("this Wine runs no program of today's Go, for which it must be 9 or later: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		end := exec.Command("wineserver", "--kill") // its own, which stays for a while otherwise and writes into the directory
		end.Env = append(os.Environ(), wine...)
		_ = end.Run()
	})
	testscript.Run(t, testscript.Params{
		Dir: "testdata/wine",
		Setup: func(e *testscript.Env) error {
			e.Vars = slices.DeleteFunc(append(e.Vars, wine...), func(v string) bool { return strings.HasPrefix(v, "TMPDIR=") }) // Wine 10 falls over it
			e.Setenv("GUARD", guard)
			e.Setenv("HOME", e.WorkDir) // Wine looks there
			return nil
		},
		Cmds: scriptCommands,
	})
}
