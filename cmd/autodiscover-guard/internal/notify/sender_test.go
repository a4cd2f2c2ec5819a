package notify_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/notify"
)

// The line of the package's documentation, run by a real shell and a real openssl.
func TestSignature_openssl(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	const raw = "0123456789abcdefghijklmnop" // what whsec_ below is the base64 of
	for name, text := range map[string]string{"plain": secretText, "standard webhooks": "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3A="} {
		t.Run(name, func(t *testing.T) {
			got := make(chan post, 1)
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body := make([]byte, r.ContentLength)
				_, _ = r.Body.Read(body)
				got <- post{header: r.Header.Clone(), body: body}
			}))
			defer server.Close()
			secret, err := notify.ParseSecret([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			n, err := notify.New(notify.Config{URL: server.URL + "/hook?x=1", Secret: secret, Strangers: filepath.Join(t.TempDir(), "s.json"), Quiet: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			w := world{decisions: zap.New(n.Decisions())}
			w.decide(refused("imap.stranger.net"))
			p := <-got
			n.Close(t.Context())
			dir := t.TempDir()
			key := text
			if strings.HasPrefix(text, "whsec_") {
				key = raw
			}
			for file, content := range map[string][]byte{"body": p.body, "hook.secret": []byte(key + "\n")} {
				if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", `{ printf '%s.%s.' "$id" "$timestamp"; cat body; } | openssl dgst -sha256 -hmac "$(cat hook.secret)" -binary | base64`)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "id="+p.header.Get("Webhook-Id"), "timestamp="+p.header.Get("Webhook-Timestamp"))
			out, err := cmd.Output()
			if want := "v1," + strings.TrimSpace(string(out)); err != nil || p.header.Get("Webhook-Signature") != want {
				t.Errorf("%v: the signature is %s, openssl makes %s", err, p.header.Get("Webhook-Signature"), want)
			}
			if at, err := strconv.ParseInt(p.header.Get("Webhook-Timestamp"), 10, 64); err != nil || time.Since(time.Unix(at, 0)) > time.Minute {
				t.Errorf("the timestamp is %s", p.header.Get("Webhook-Timestamp"))
			}
		})
	}
}

func TestParseSecret(t *testing.T) {
	for text, want := range map[string]string{
		"short":                          "only 5 bytes",
		strings.Repeat("x", 23):          "only 23 bytes",
		"":                               "only 0 bytes",
		"whsec_????":                     "not base64",
		"whsec_c2hvcnQ=":                 "only 5 bytes",
		strings.Repeat("two lines\n", 9): "more than one line",
	} {
		s, err := notify.ParseSecret([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || len(text) > 0 && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v, %v; want %s", text, s, err, want)
		}
	}
	if _, err := notify.ParseSecret([]byte(strings.Repeat("x", 24))); err != nil {
		t.Error(err)
	}
	s, err := notify.ParseSecret([]byte(secretText))
	if err != nil || strings.Contains(s.String()+s.GoString(), "horse") {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := notify.New(notify.Config{URL: hook}); err == nil {
		t.Error("a notifier without a secret was made")
	}
	if _, err := notify.New(notify.Config{URL: "http://[geheim", Secret: s}); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("a notifier for no address: %v", err)
	}
}

// What may pass is tried again, with the same id and a new signature; what was refused is not.
func TestSender_attempts(t *testing.T) {
	for name, c := range map[string]struct {
		answer   func(int) (int, http.Header)
		attempts int
		outcome  notify.Outcome
		least    time.Duration
	}{
		"at once": {always(202), 1, notify.Sent, 0},
		"the third time": {func(n int) (int, http.Header) {
			return map[int]int{1: 0, 2: 503}[n] + map[bool]int{n > 2: 200}[true], nil
		}, 3, notify.Sent, time.Second},
		"too early": {func(n int) (int, http.Header) {
			return map[int]int{1: 408, 2: 425, 3: 200}[n], nil
		}, 3, notify.Sent, time.Second},
		"never":             {always(500), notify.Attempts, notify.Failed, time.Minute},
		"nobody is there":   {always(0), notify.Attempts, notify.Failed, time.Minute},
		"refused":           {always(401), 1, notify.Failed, 0},
		"gone":              {always(410), 1, notify.Failed, 0},
		"redirected":        {func(int) (int, http.Header) { return 307, http.Header{"Location": {"https://stranger.net/"}} }, 1, notify.Failed, 0},
		"back in hours":     {func(n int) (int, http.Header) { return 503 - 303*(n-1), http.Header{"Retry-After": {"7200"}} }, 2, notify.Sent, time.Minute},
		"too many requests": {func(n int) (int, http.Header) { return 429 - 229*(n-1), http.Header{"Retry-After": {"60"}} }, 2, notify.Sent, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hooked := &webhook{t: t, answer: c.answer}
				w := start(t, hooked, "")
				begun := time.Now()
				w.decide(refused("imap.stranger.net"))
				time.Sleep(time.Hour)
				synctest.Wait()
				posts := hooked.all()
				w.notifier.Close(t.Context())
				if len(posts) != c.attempts || w.outcomes[c.outcome] != 1 {
					t.Fatalf("%d attempts, outcomes %v; want %d and %s", len(posts), w.outcomes, c.attempts, c.outcome)
				}
				last := posts[len(posts)-1]
				if took := last.at.Sub(begun); took < c.least || took > 10*time.Minute {
					t.Errorf("the last attempt came after %v", took)
				}
				if last.header.Get("Webhook-Id") != posts[0].header.Get("Webhook-Id") {
					t.Error("another attempt has another id")
				}
				if len(posts) > 1 && last.header.Get("Webhook-Timestamp") == posts[0].header.Get("Webhook-Timestamp") {
					t.Error("another attempt has the same timestamp")
				}
				if name == "refused" && !strings.Contains(w.log.String(), "the answer was 401") {
					t.Errorf("the log says %s", w.log.String())
				}
				if text := w.log.String(); strings.Contains(text, "geheim") || (c.outcome == notify.Failed) != strings.Contains(text, "hooks.corp.example.net") {
					t.Errorf("the log says %s", text)
				}
			})
		})
	}
}

// At the end, what waits gets one attempt, as long as there is time. Nobody is served meanwhile, so a webhook that does not answer is not waited for long.
func TestClose(t *testing.T) {
	for name, c := range map[string]struct {
		answer  int
		hang    bool
		within  time.Duration
		took    time.Duration
		outcome map[notify.Outcome]int
	}{
		"the rest is told":          {200, false, time.Minute, 0, map[notify.Outcome]int{notify.Sent: 3}},
		"no second attempt":         {500, false, time.Minute, 0, map[notify.Outcome]int{notify.Failed: 3}},
		"not longer than it may be": {200, true, 3 * time.Second, 3 * time.Second, map[notify.Outcome]int{notify.Failed: 1, notify.Dropped: 2}},
		"nor for long":              {200, true, time.Minute, 5 * time.Second, map[notify.Outcome]int{notify.Failed: 1, notify.Dropped: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hooked := &webhook{t: t, answer: always(c.answer)}
				if c.hang {
					hooked.gate = make(chan struct{})
				}
				w := start(t, hooked, "")
				for _, host := range []string{"a.net", "b.net", "c.net"} {
					w.decide(refused(host))
				}
				synctest.Wait()
				begun := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), c.within)
				defer cancel()
				w.notifier.Close(ctx)
				w.notifier.Close(ctx)
				if took := time.Since(begun); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				for o, n := range c.outcome {
					if w.outcomes[o] != n {
						t.Errorf("outcomes %v, want %v", w.outcomes, c.outcome)
					}
				}
				w.decide(refused("late.net")) // does not wait for anybody
				if said := strings.Contains(w.log.String(), "before the end"); said != (c.outcome[notify.Dropped] > 0) {
					t.Errorf("the log says %s", w.log.String())
				}
			})
		})
	}
}
