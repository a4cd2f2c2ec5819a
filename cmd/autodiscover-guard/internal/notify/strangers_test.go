package notify_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/cmd/autodiscover-guard/internal/notify"
)

// A stranger is told once, for ever: after a restart, too. One whose notification did not arrive is told when it comes again.
func TestStrangers_are_remembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "strangers.json")
		status := 200
		hook := &webhook{t: t, answer: func(int) (int, http.Header) { return status, nil }}
		told := func(decisions ...decision) []string {
			before := len(hook.all())
			w := start(t, hook, file)
			for _, d := range decisions {
				w.decide(d)
				synctest.Wait()
			}
			w.notifier.Close(t.Context())
			var hosts []string
			for _, p := range hook.all()[before:] {
				hosts = append(hosts, fmt.Sprint(p.told.Data["hosts"]))
			}
			return hosts
		}
		steps := []struct {
			status int
			seen   []decision
			want   []string
		}{
			{200, []decision{refused("a.net", "b.net"), refused("a.net"), refused("b.net", "c.net")}, []string{"[a.net b.net]", "[c.net]"}},
			{200, []decision{refused("a.net", "b.net", "c.net")}, nil},
			{400, []decision{refused("d.net"), refused("d.net")}, []string{"[d.net]", "[d.net]"}},
			{200, []decision{refused("a.net", "d.net")}, []string{"[d.net]"}},
			{200, []decision{refused("a.net", "d.net")}, nil},
		}
		for i, s := range steps {
			time.Sleep(time.Hour)
			status = s.status
			if d := cmp.Diff(s.want, told(s.seen...)); d != "" {
				t.Errorf("step %d (-want +got):\n%s", i, d)
			}
		}
		const line = `"host": "a.net",
   "first": "2000-01-01T01:00:00Z",
   "last": "2000-01-01T04:00:00Z"`
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), line) {
			t.Errorf("remembered: %s, %v; want %s in it", text, err, line)
		}
		info, err := os.Stat(file)
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%v, mode %v", err, info.Mode())
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	})
}

// What cannot be read is told, and kept: somebody may be able to read it.
func TestStrangers_damaged_memory(t *testing.T) {
	for _, text := range []string{"{", `{"version":2,"strangers":[]}`, `{"version":1,"strangers":{}}`, "\x00\x00"} {
		synctest.Test(t, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "strangers.json")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			hook := &webhook{t: t, answer: always(200)}
			w := start(t, hook, file)
			w.decide(refused("a.net"))
			w.notifier.Close(t.Context())
			after, err := os.ReadFile(file)
			if len(hook.all()) != 1 || !strings.Contains(w.log.String(), "all are new") || err != nil || !strings.Contains(string(after), `"a.net"`) {
				t.Errorf("%q: %d posts, %s, memory %s, %v", text, len(hook.all()), w.log.String(), after, err)
			}
			aside, err := filepath.Glob(file + ".unread-*")
			if err != nil || len(aside) != 1 || !strings.Contains(w.log.String(), aside[0]) {
				t.Fatalf("%q is kept as %q, %v, and said: %s", text, aside, err, w.log.String())
			}
			if kept, err := os.ReadFile(aside[0]); err != nil || string(kept) != text {
				t.Errorf("%q is kept as %q, %v", text, kept, err)
			}
		})
	}
}

// Where it can be neither read nor moved, it stays as it is.
func TestStrangers_memory_that_cannot_be_moved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "strangers.json")
		if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(file+".unread-2000-01-01T00-00-00.000", 0o700); err != nil { // at the time of the bubble
			t.Fatal(err)
		}
		w := start(t, &webhook{t: t, answer: always(200)}, file)
		w.decide(refused("a.net"))
		w.notifier.Close(t.Context())
		if after, err := os.ReadFile(file); err != nil || string(after) != "{" || !strings.Contains(w.log.String(), "all are new") {
			t.Errorf("got %q, %v, and %s", after, err, w.log.String())
		}
		w = start(t, &webhook{t: t, answer: always(200)}, "no file can be called \x00")
		w.notifier.Close(t.Context())
		if !strings.Contains(w.log.String(), "all are new") {
			t.Errorf("said %s", w.log.String())
		}
	})
}

// What cannot be written is written with whatever is told next.
func TestStrangers_memory_without_a_place(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "state", "strangers.json")
		w := start(t, &webhook{t: t, answer: always(200)}, file)
		w.decide(refused("a.net"))
		synctest.Wait()
		if !strings.Contains(w.log.String(), "cannot be remembered on disk") {
			t.Errorf("said %s", w.log.String())
		}
		if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		w.life.Error(reloadFailed)
		w.notifier.Close(t.Context())
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), `"a.net"`) {
			t.Errorf("remembered: %s, %v", text, err)
		}
	})
}

// A stranger that waits to be told is not remembered with one that was.
func TestStrangers_untold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "strangers.json")
		hook := &webhook{t: t, answer: func(n int) (int, http.Header) { return map[int]int{1: 200, 2: 400, 3: 200}[n], nil }}
		w := start(t, hook, file)
		w.decide(refused("a.net"))
		w.decide(refused("b.net"))
		w.notifier.Close(t.Context())
		w = start(t, hook, file)
		w.decide(refused("a.net", "b.net"))
		w.notifier.Close(t.Context())
		if got := hook.all(); len(got) != 3 || fmt.Sprint(got[2].told.Data["hosts"]) != "[b.net]" {
			t.Errorf("%d posts: %v", len(got), got)
		}
	})
}

// More strangers than are remembered: memory and file stay bounded, and who was seen last stays known.
func TestStrangers_are_bounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "strangers.json")
		hook := &webhook{t: t, answer: always(200)}
		w := start(t, hook, file)
		w.decide(refused("first.net"))
		for n := range 3 {
			time.Sleep(time.Hour)
			hosts := []string{"first.net"}
			for m := range 2800 {
				hosts = append(hosts, fmt.Sprintf("h%d-%d.net", n, m))
			}
			w.decide(refused(hosts...))
			synctest.Wait()
		}
		w.notifier.Close(t.Context())
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(text), `"host"`); got != notify.MostStrangers {
			t.Errorf("%d are remembered, want %d", got, notify.MostStrangers)
		}
		for pattern, want := range map[string]int{`"first.net"`: 1, `"h0-`: notify.MostStrangers - 1 - 2*2800, `"h1-`: 2800, `"h2-`: 2800} {
			if got := strings.Count(string(text), pattern); got != want {
				t.Errorf("%s: %d are remembered, want %d", pattern, got, want)
			}
		}
	})
}
