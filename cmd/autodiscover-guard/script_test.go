package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

func TestMain(m *testing.M) {
	// Tests here mostly wait for programs that they started: with as many at a time as there are cores, half of the machine is idle.
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		program:           main,
		"lab-service":     labService,
		"webhook":         webhook,
		"nss-client":      nssClient,
		"mozilla-client":  mozillaClient,
		"thunderbird-hub": thunderbirdHub,
		"notify-listener": notifyListener,
	})
}

// TestScripts plays the stories in testdata/script: each is what somebody does with the program, and what they see.
func TestScripts(t *testing.T) {
	t.Parallel()
	validRecords := newValidator(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_STATE_HOME", e.WorkDir)
			e.Setenv("HOME", e.WorkDir)
			e.Defer(func() { validRecords(t, e.WorkDir) })
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "superuser":
				return os.Geteuid() == 0, nil
			case "namespaces":
				return haveNamespaces(), nil
			case "sandbox":
				return canSandbox(), nil
			}
			if module, ok := strings.CutPrefix(cond, "python:"); ok {
				return exec.Command("/usr/bin/python3", "-c", "import "+module).Run() == nil, nil
			}
			name, ok := strings.CutPrefix(cond, "program:")
			if !ok {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			_, err := exec.LookPath(name)
			return err == nil, nil
		},
		Cmds: scriptCommands,
	})
}

// scriptCommands are ours beside testscript's own.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"waitfile":  waitFile,
	"fromfile":  fromFile,
	"lines":     countLines,
	"waitline":  waitLine,
	"freeport":  freePort,
	"turnsback": turnsBack,
}

// canSandbox reports whether this process may make itself a copy of the whole system that goes away with it, as sandbox.sh in some scripts
// does: a mount namespace with an overlay.
func canSandbox() bool {
	dir, err := os.MkdirTemp("", "sandbox")
	if err != nil {
		return false
	}
	defer func() { _ = os.RemoveAll(dir) }()
	const try = `set -e; mount -t tmpfs tmpfs "$0"; mkdir "$0/upper" "$0/work" "$0/root"
		mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"; chroot "$0/root" true`
	return exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", try, dir).Run() == nil
}

// waitFile waits until a file is there: waitfile FILE.
func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfile FILE")
	}
	waitUntil(ts, args[0]+" does not appear", func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	})
}

// waitLine waits until a file says something: waitline FILE PATTERN.
func waitLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitline FILE PATTERN")
	}
	pattern := regexp.MustCompile("(?m)" + args[1])
	waitUntil(ts, args[0]+" does not say "+args[1], func() bool {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && pattern.Match(text)
	})
}

// waitUntil asks again and again, for as long as the slowest machine may take.
func waitUntil(ts *testscript.TestScript, complaint string, done func() bool) {
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			ts.Fatalf("%s", complaint)
		case <-tick.C:
		}
	}
}

// fromFile sets a variable to what a file says, once it is there: fromfile NAME FILE.
func fromFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fromfile NAME FILE")
	}
	waitFile(ts, false, args[1:])
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// countLines checks how many lines a file has: lines N FILE.
func countLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines N FILE")
	}
	if got := fmt.Sprint(strings.Count(ts.ReadFile(args[1]), "\n")); got != args[0] {
		ts.Fatalf("%s has %s lines, want %s", args[1], got, args[0])
	}
}

// labService is a second program for scripts: services of the incident on loopback, until a signal ends it. It writes its address and its root
// certificate into the named directory, and what it saw when it ends.
//
//	lab-service (autodetect|pox|autoconfig|calendars) DIR HOST...
func labService() {
	kind, dir := os.Args[1], os.Args[2]
	handler := lab.AutoDetect()
	switch kind {
	case "pox":
		handler = lab.POX()
	case "autoconfig":
		handler = autoconfig()
	case "calendars":
		handler = calendars()
	}
	s, err := lab.Start(os.Args[3:], handler)
	must(err)
	must(os.MkdirAll(dir, 0o700))
	must(os.WriteFile(filepath.Join(dir, "root.pem"), s.RootPEM(), 0o600))
	must(os.WriteFile(filepath.Join(dir, "address.new"), []byte(s.Addr()), 0o600))
	must(os.Rename(filepath.Join(dir, "address.new"), filepath.Join(dir, "address")))
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, syscall.SIGTERM)
	<-ended
	for _, seen := range s.Seen() {
		_, secret := seen.Carries("password")
		fmt.Printf("%s %s https://%s%s password=%v\n", seen.Proto, seen.Method, seen.Host, seen.Path, secret)
	}
	must(s.Close())
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
