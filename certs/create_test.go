package certs_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"autodiscover-guard/certs"
)

// checkModes wants everything of an authority private.
func checkModes(t *testing.T, dir string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	want := map[string]os.FileMode{
		".": os.ModeDir | 0o700, "root.pem": 0o600, "root.key": 0o600, "issuing.pem": 0o600,
	}
	for name, mode := range want {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode() != mode {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), mode)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("directory has %v (%v), want three files", entries, err)
	}
}

// alone wants nothing beside the authority: no temporary directory is left.
func alone(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the authority: %v (%v)", entries, err)
	}
}

func TestOpen_raceInOneProcess(t *testing.T) {
	t.Parallel()
	dir := place(t)
	prints := make([]string, 8)
	var wg sync.WaitGroup
	for i := range prints {
		wg.Go(func() {
			a, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
			if err != nil {
				t.Error(err)
				return
			}
			prints[i] = a.Fingerprint()
			_ = a.Close()
		})
	}
	wg.Wait()
	for _, p := range prints {
		if p != prints[0] {
			t.Errorf("got authorities %s and %s", p, prints[0])
		}
	}
	checkModes(t, dir)
	alone(t, dir)
}

func TestOpen_raceOfProcesses(t *testing.T) {
	t.Parallel()
	dir := place(t)
	if err := os.Mkdir(dir, 0o700); err != nil { // the harder case: an empty directory is in the way
		t.Fatal(err)
	}
	prints := make([]string, 4)
	var wg sync.WaitGroup
	for i := range prints {
		wg.Go(func() {
			out, err := command(t, dir).Output()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			prints[i] = string(out)
		})
	}
	wg.Wait()
	for _, p := range prints {
		if p != prints[0] {
			t.Errorf("got authorities %s and %s", p, prints[0])
		}
	}
	alone(t, dir)
}

// command is this test binary as another process; see TestMain.
func command(t *testing.T, dir string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(append(os.Environ(), openerEnv+"="+dir), env...)
	return cmd
}

// A process that makes and removes authorities all the time is killed at twenty moments. Whatever it leaves, the next
// Open works.
func TestOpen_afterKill(t *testing.T) {
	t.Parallel()
	for i := range 20 {
		dir := place(t)
		cmd := command(t, dir, openerLoopEnv+"=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		pause := time.NewTimer(time.Duration(i) * 317 * time.Microsecond)
		<-pause.C
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it says that it was killed

		a, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
		if err != nil {
			t.Errorf("round %d: %v", i, err)
			continue
		}
		checkModes(t, dir)
		if _, err := a.Leaf("example.com"); err != nil {
			t.Errorf("round %d: %v", i, err)
		}
		_ = a.Close()
	}
}

// A crash at every step of a creation, laid out by hand: each state is a prefix of the files in the temporary directory.
func TestOpen_afterCrash(t *testing.T) {
	t.Parallel()
	model := place(t)
	open(t, model, "example.com")
	files := []string{"root.key", "root.pem", "issuing.pem"}
	for n := range len(files) + 1 {
		for _, half := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d-files-half-%v", n, half), func(t *testing.T) {
				t.Parallel()
				dir := place(t)
				stray := filepath.Join(filepath.Dir(dir), ".authority.new-12345")
				if err := os.Mkdir(stray, 0o700); err != nil {
					t.Fatal(err)
				}
				for i, name := range files[:n] {
					text := read(t, filepath.Join(model, name))
					if half && i == n-1 {
						text = text[:len(text)/2]
					}
					write(t, filepath.Join(stray, name), text)
				}
				// At once, it might belong to a process that is still at work, and is left alone.
				first := open(t, dir, "example.com")
				if _, err := os.Stat(stray); err != nil {
					t.Errorf("fresh temporary directory: %v", err)
				}
				// Later it is rubbish.
				old := time.Now().Add(-time.Hour)
				if err := os.Chtimes(stray, old, old); err != nil {
					t.Fatal(err)
				}
				again := open(t, dir, "example.com")
				alone(t, dir)
				if first.Fingerprint() != again.Fingerprint() {
					t.Error("the authority changed")
				}
			})
		}
	}
}

// A crash while the issuing certificate is replaced leaves a temporary file beside the old one.
func TestOpen_afterCrashOfRenewal(t *testing.T) {
	t.Parallel()
	dir := place(t)
	first := open(t, dir, "example.com")
	stray := filepath.Join(dir, ".issuing.pem.new-ABC")
	write(t, stray, []byte("-----BEGIN PRIVATE"))
	again := open(t, dir, "example.com")
	if !first.Issuing().Equal(again.Issuing()) {
		t.Error("the issuing certificate changed")
	}
	// What is as old, and is no rubbish of ours, stays.
	neighbour := filepath.Join(filepath.Dir(dir), "neighbour")
	write(t, neighbour, nil)
	kept := []string{neighbour, filepath.Join(dir, "root.key"), filepath.Join(dir, "root.pem"), filepath.Join(dir, "issuing.pem")}
	old := time.Now().Add(-time.Hour)
	for _, path := range append(kept, stray) {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir, "example.com")
	checkModes(t, dir)
	for _, path := range kept {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestOpen_unwritable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	places := []string{filepath.Join(file, "authority")}
	if runtime.GOOS == "linux" {
		places = append(places, "/proc/self/authority") // where not even root can make a directory
	}
	for _, dir := range places {
		if a, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}}); err == nil {
			_ = a.Close()
			t.Errorf("%s: opened", dir)
		} else if !strings.Contains(err.Error(), "opening authority ") {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
