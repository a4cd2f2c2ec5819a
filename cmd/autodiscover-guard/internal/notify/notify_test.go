package notify_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
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
