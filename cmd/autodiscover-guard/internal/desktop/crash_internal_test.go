//go:build unix

package desktop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// killed is what a step panics with to end a run there.
type killed struct{ at string }

// until runs an action that ends before its nth change, and reports whether it came that far.
func until(t *testing.T, d *Desktop, n int, action func(*Desktop) ([]Result, error)) (stopped bool) {
	t.Helper()
	d.disk = disk{step: func(what string) {
		if n--; n < 0 {
			panic(killed{what})
		}
	}}
	defer func() {
		if p := recover(); p != nil {
			k, ok := p.(killed)
			if !ok {
				panic(p)
			}
			t.Logf("stopped before: %s", k.at)
			stopped = true
		}
	}()
	if _, err := action(d); err != nil {
		t.Fatal(err)
	}
	return false
}

func switchOn(ctx context.Context) func(*Desktop) ([]Result, error) {
	return func(d *Desktop) ([]Result, error) { return d.On(ctx, guard, Options{Environment: true}) }
}

func switchOff(ctx context.Context) func(*Desktop) ([]Result, error) {
	return func(d *Desktop) ([]Result, error) { return d.Off(ctx, Options{}) }
}

func recovered(ctx context.Context) func(*Desktop) ([]Result, error) {
	return func(d *Desktop) ([]Result, error) { return d.Recover(ctx) }
}

// stands reports whether the journal says that the settings stay.
func (w world) stands(t *testing.T) bool {
	t.Helper()
	j, err := loadJournal(w.path("state"))
	must(t, err)
	return j.persistent()
}

// steps counts the changes that an action makes.
func steps(t *testing.T, d *Desktop, action func(*Desktop) ([]Result, error)) int {
	t.Helper()
	n := 0
	d.disk = disk{step: func(string) { n++ }}
	_, err := action(d)
	must(t, err)
	if n < 20 {
		t.Fatalf("%d steps: it did not do what it is tested for", n)
	}
	return n
}

var ways = map[string]func(context.Context) func(*Desktop) ([]Result, error){"off": switchOff, "recover": recovered}

// Wherever "setup on" ends, "setup off" and the guard's next start give back what was there. When it has come to its end, a start leaves
// the settings.
func TestOn_stoppedAtEachStep(t *testing.T) {
	t.Parallel()
	total := steps(t, newWorld(t).desktop(), switchOn(t.Context()))
	for name, back := range ways {
		for n := range total {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				before := w.tree(t)
				if !until(t, w.desktop(), n, switchOn(t.Context())) {
					t.Fatal("it was not stopped")
				}
				if name == "recover" && w.stands(t) {
					before = w.tree(t)
				}
				results, err := back(t.Context())(w.desktop())
				must(t, err)
				allGood(t, results)
				w.same(t, before)
			})
		}
	}
}

// Wherever "setup off" ends, the next one, or the guard's next start, goes on.
func TestOff_stoppedAtEachStep(t *testing.T) {
	t.Parallel()
	scout := newWorld(t)
	on(t, scout, Options{})
	total := steps(t, scout.desktop(), switchOff(t.Context()))
	for name, back := range ways {
		for n := range total {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				before := w.tree(t)
				allGood(t, on(t, w, Options{}))
				changed := w.tree(t)
				if !until(t, w.desktop(), n, switchOff(t.Context())) {
					t.Fatal("it was not stopped")
				}
				if name == "recover" && w.stands(t) { // it had not begun
					before = changed
				}
				results, err := back(t.Context())(w.desktop())
				must(t, err)
				allGood(t, results)
				w.same(t, before)
			})
		}
	}
}

// A second "setup on" over an unfinished one keeps the values that were there before the first.
func TestOn_againAfterACrash(t *testing.T) {
	t.Parallel()
	total := steps(t, newWorld(t).desktop(), switchOn(t.Context()))
	for n := range total {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			before := w.tree(t)
			until(t, w.desktop(), n, switchOn(t.Context()))
			allGood(t, on(t, w, Options{}))
			allGood(t, off(t, w, Options{}))
			w.same(t, before)
		})
	}
}

// A "setup on" with another address, after Thunderbird has copied the first one's user.js: wherever it ends, places that still hold the first address are known
// for the guard's own.
func TestOn_elsewhereStopped(t *testing.T) {
	t.Parallel()
	elsewhere := func(d *Desktop) ([]Result, error) {
		return d.On(t.Context(), Target{PAC: "http://127.0.0.1:9999/proxy.pac", Proxy: "http://127.0.0.1:9998"}, Options{Environment: true})
	}
	scout := newWorld(t)
	on(t, scout, Options{})
	total := steps(t, scout.desktop(), elsewhere)
	for _, n := range []int{3, total / 3, total * 2 / 3, total} { // the last one comes to its end
		w := newWorld(t)
		before := w.tree(t)
		on(t, w, Options{})
		w.write(t, "home/.thunderbird/abc.default/prefs.js", strings.Replace(oldPrefs, `"network.proxy.type", 1`, `"network.proxy.type", 2`, 1)+
			"user_pref(\"network.proxy.autoconfig_url\", \"http://127.0.0.1:8081/proxy.pac\");\n")
		until(t, w.desktop(), n, elsewhere)
		allGood(t, off(t, w, Options{}))
		w.same(t, before)
	}
}

const killAt = "DESKTOP_TEST_KILL_AT"

// TestMain is the child of TestOn_reallyKilled where the environment says so.
func TestMain(m *testing.M) {
	syscall.Umask(0o077) // as hardened computers have it
	if dir := os.Getenv("DESKTOP_TEST_LOCK"); dir != "" {
		holdProfile(dir)
	}
	n, err := strconv.Atoi(os.Getenv(killAt))
	if err != nil {
		inMemory()
		goleak.VerifyTestMain(m)
		return
	}
	d := world{os.Getenv("DESKTOP_TEST_WORLD")}.desktop()
	d.disk = disk{step: func(string) {
		if n--; n < 0 {
			if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
				panic(err)
			}
			select {}
		}
	}}
	action := switchOn(context.Background())
	if os.Getenv("DESKTOP_TEST_OFF") != "" {
		action = switchOff(context.Background())
	}
	if _, err := action(d); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// inMemory has the hundreds of worlds made where synchronising costs nothing.
func inMemory() {
	const memory = "/dev/shm"
	if unix.Access(memory, unix.W_OK) == nil && os.Getenv("TMPDIR") == "" {
		if err := os.Setenv("TMPDIR", memory); err != nil {
			panic(err)
		}
	}
}

// child runs this program as one that kills itself before its nth change.
func child(t *testing.T, w world, n int, back string) (wasKilled bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), killAt+"="+strconv.Itoa(n), "DESKTOP_TEST_WORLD="+w.dir, "DESKTOP_TEST_OFF="+back)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v:\n%s", err, out)
	}
	return true
}

// The same with processes that die by SIGKILL, so that nothing deferred runs: first putting in place, then taking back, at every third step
// of the one and all over the other.
func TestOn_reallyKilled(t *testing.T) {
	t.Parallel()
	total := steps(t, newWorld(t).desktop(), switchOn(t.Context()))
	for n := 0; n < total; n += 3 {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			before := w.tree(t)
			if !child(t, w, n, "") {
				t.Error("the child was not killed")
			}
			child(t, w, 7*n%23, "yes")
			allGood(t, off(t, w, Options{}))
			w.same(t, before)
		})
	}
}
