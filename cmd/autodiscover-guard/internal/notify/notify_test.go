package notify_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/notify"
)

func TestDecisions(t *testing.T) {
	guard, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("a", 400)
	taken := []string{"mail.stranger.net", "next.stranger.net", "stranger.org"}
	edit := decision{action: "edit", strangers: taken}
	monitored := decision{action: "pass", would: "refuse", forwarded: true, strangers: []string{"imap.stranger.net"}}
	for name, c := range map[string]struct {
		d     decision
		kind  notify.Type
		hosts []any
	}{
		"a stranger that was refused":              {refused("imap.stranger.net"), notify.Stranger, []any{"imap.stranger.net"}},
		"a stranger longer than any name":          {refused(long), notify.Stranger, []any{long[:300]}},
		"strangers that were taken out":            {edit, notify.Stranger, []any{"mail.stranger.net", "next.stranger.net", "stranger.org"}},
		"a leak that was only monitored":           {monitored, notify.Leak, []any{"imap.stranger.net"}},
		"credentials, though there is no answer":   {decision{action: "pass", would: "refuse", forwarded: true, failure: "connect"}, notify.Leak, []any{}},
		"an answer that could not be read, told":   {decision{action: "pass", would: "refuse"}, notify.Leak, []any{}},
		"nothing leaked, because nobody answered":  {decision{action: "pass", would: "refuse", failure: "connect"}, "", nil},
		"monitored, and would have passed":         {decision{action: "pass", would: "pass"}, "", nil},
		"passed":                                   {decision{action: "pass", strangers: []string{"imap.stranger.net"}}, "", nil},
		"refused without asking":                   {decision{action: "refuse"}, "", nil},
		"answered by the rule":                     {decision{action: "answer"}, "", nil},
		"a tunnel to a guarded domain's discovery": {decision{action: "tunnel"}, notify.Leak, []any{}},
		"a tunnel where nobody is guarded":         {decision{action: "tunnel", ruleless: true}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hook := &webhook{t: t, answer: always(204)}
				w := start(t, hook, "")
				w.decide(c.d)
				synctest.Wait()
				posts := hook.all()
				w.notifier.Close(t.Context())
				if c.kind == "" {
					if len(posts) != 0 {
						t.Errorf("told %s", posts[0].body)
					}
					return
				}
				if len(posts) != 1 {
					t.Fatalf("%d posts", len(posts))
				}
				got := posts[0].told
				want := told{
					Version: 1, Type: c.kind, Timestamp: got.Timestamp, Guard: guard, Summary: got.Summary, Count: 1,
					Data: map[string]any{
						"hosts": c.hosts, "subjects": []any{"example.com"}, "action": c.d.action, "would": c.d.would, "rule": "documentation", "reason": "because",
						"dialect": "autodetect", "host": "prod.autodetect.outlook.cloud.microsoft", "client": "192.0.2.7", "exchange": "run-1",
						"credentials_forwarded": c.d.forwarded,
					},
				}
				if d := cmp.Diff(want, got); d != "" || !strings.Contains(got.Summary, "example.com") || got.Timestamp.IsZero() {
					t.Errorf("payload (-want +got):\n%s%+v", d, got)
				}
				if c.kind == notify.Stranger && !strings.HasPrefix(got.Summary, fmt.Sprint("never suggested before: ", c.hosts[0])) {
					t.Errorf("summary %s", got.Summary)
				}
				if posts[0].header.Get("User-Agent") != "autodiscover-guard/test" || posts[0].header.Get("Content-Type") != "application/json" {
					t.Errorf("header %v", posts[0].header)
				}
			})
		})
	}
}

func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hook := &webhook{t: t, answer: always(200)}
		w := start(t, hook, "")
		w.life.Info(reloadFailed)
		w.life.Error("something else")
		for range 3 {
			w.life.Error(reloadFailed, zap.String("policy", "0123"), zap.Error(errors.New("guard.yaml:3: nonsense")))
		}
		w.life.With(zap.String("policy", "0123")).Warn(reloadFailed, zap.Error(errors.New("guard.yaml:4: other nonsense")))
		w.life.Error(reloadFailed, zap.Float64("which JSON cannot say", math.NaN()))
		time.Sleep(time.Hour)
		w.life.Error(reloadFailed, zap.String("policy", "0123"), zap.Error(errors.New("guard.yaml:3: nonsense")))
		w.notifier.Close(t.Context())
		var got []string
		for _, p := range hook.all() {
			got = append(got, fmt.Sprint(p.told.Type, p.told.Count, p.told.Data["error"], p.told.Data["policy"], p.told.Data["message"]))
			if want := fmt.Sprint(reloadFailed, ": ", p.told.Data["error"]); p.told.Summary != want {
				t.Errorf("summary %q, want %q", p.told.Summary, want)
			}
		}
		want := []string{
			"reload1guard.yaml:3: nonsense0123" + reloadFailed, "reload1guard.yaml:4: other nonsense0123" + reloadFailed, "reload3guard.yaml:3: nonsense0123" + reloadFailed,
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("told (-want +got):\n%s", d)
		}
		if w.outcomes[notify.Dropped] != 1 {
			t.Errorf("outcomes %v, want one dropped", w.outcomes)
		}
	})
}

// Each leak is told, the same one after a while only, and one with a password beside one without.
func TestDecisions_leaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hook := &webhook{t: t, answer: always(200)}
		w := start(t, hook, "")
		leak := func(forwarded bool, hosts ...string) {
			w.decide(decision{action: "pass", would: "refuse", forwarded: forwarded, strangers: hosts})
			synctest.Wait()
		}
		leak(false, "a.net")
		leak(false, "a.net")
		leak(false, "a.net", "b.net", "c.net", "d.net", "e.net", "f.net")
		leak(false, "a.net", "b.net", "c.net", "d.net", "e.net")
		leak(true, "a.net")
		leak(true, "a.net")
		leak(true)
		time.Sleep(time.Hour)
		leak(false, "a.net")
		w.notifier.Close(t.Context())
		var got []string
		ids := make(map[string]bool) // by which receivers tell what they have had
		for _, p := range hook.all() {
			if id := p.header.Get("Webhook-Id"); !strings.HasPrefix(id, "msg_") || ids[id] {
				t.Errorf("the id %q, after %v", id, ids)
			}
			ids[p.header.Get("Webhook-Id")] = true
			got = append(got, fmt.Sprint(p.told.Count, ": ", strings.TrimPrefix(p.told.Summary, "not stopped, because a rule only monitors: ")))
		}
		want := []string{
			"1: a.net to accounts of example.com",
			"1: a.net, b.net, c.net, d.net, e.net, … to accounts of example.com",
			"1: a.net, b.net, c.net, d.net, e.net to accounts of example.com",
			"1: a.net to accounts of example.com, with credentials",
			"1: an answer to accounts of example.com, with credentials",
			"2: a.net to accounts of example.com",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("told (-want +got):\n%s", d)
		}
	})
}

// What nobody has heard is told when it comes again, and not after the quiet time that follows what was told.
func TestLife_notDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := 200
		hook := &webhook{t: t, answer: func(int) (int, http.Header) { return status, nil }}
		w := start(t, hook, "")
		for _, status = range []int{400, 400, 200, 200} {
			w.life.Error(reloadFailed, zap.Error(errors.New("guard.yaml:3: nonsense")))
			synctest.Wait()
		}
		w.notifier.Close(t.Context())
		var counts []int // how often it happened since it was told last, each time that was to be told
		for _, p := range hook.all() {
			counts = append(counts, p.told.Count)
		}
		if !slices.Equal(counts, []int{1, 2, 3}) || w.outcomes[notify.Failed] != 2 || w.outcomes[notify.Sent] != 1 {
			t.Errorf("posts with counts %v, outcomes %v; want two that failed and one that arrived", counts, w.outcomes)
		}
	})
}

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

// Nothing that a client or a service does makes more than so many notifications, and none of it waits.
func TestNotifier_bounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hook := &webhook{t: t, answer: always(200), gate: make(chan struct{})}
		w := start(t, hook, "")
		begun := time.Now()
		for n := range 100 { // the webhook hangs
			w.decide(refused(fmt.Sprint("a", n, ".net")))
			synctest.Wait()
		}
		if got, want := w.outcomes[notify.Dropped], 100-1-(notify.QueueLength-notify.Reserved); got != want || time.Since(begun) != 0 {
			t.Errorf("%d dropped after %v, want %d at once", got, time.Since(begun), want)
		}
		alarm := func(n int) { w.life.Error(reloadFailed, zap.Error(fmt.Errorf("guard.yaml:%d: nonsense", n))) }
		dropped := w.outcomes[notify.Dropped]
		for n := range notify.Reserved + 2 { // what the guard says of itself has places of its own
			alarm(n)
		}
		if got := w.outcomes[notify.Dropped] - dropped; got != 2 {
			t.Errorf("%d of the guard's own were dropped, want the two that are too many for any", got)
		}
		close(hook.gate)
		synctest.Wait()
		for n := range 200 {
			w.decide(refused(fmt.Sprint("b", n, ".net")))
			synctest.Wait()
		}
		if got := len(hook.all()); got != notify.MostAnHour-notify.Reserved {
			t.Errorf("%d told in an hour, want %d", got, notify.MostAnHour-notify.Reserved)
		}
		for n := range notify.Reserved + 2 {
			alarm(100 + n)
			synctest.Wait()
		}
		if got := len(hook.all()); got != notify.MostAnHour {
			t.Errorf("%d told in an hour with the guard's own, want %d", got, notify.MostAnHour)
		}
		time.Sleep(time.Hour)
		w.decide(refused("b199.net")) // was dropped, so it is new
		w.notifier.Close(context.Background())
		if got := hook.all(); len(got) != notify.MostAnHour+1 || w.outcomes[notify.Sent] != len(got) {
			t.Errorf("%d told after an hour, outcomes %v", len(got), w.outcomes)
		}
		w.decide(refused("late.net"))
		if got := len(hook.all()); got != notify.MostAnHour+1 {
			t.Errorf("told after Close: %d", got)
		}
	})
}
