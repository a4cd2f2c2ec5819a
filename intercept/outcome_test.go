package intercept_test

import (
	"net/http"
	"strings"
	"testing"
)

// installed are what becomes of the questions that a foreign proxy is asked.
var installed = []struct {
	name   string
	asks   func(testing.TB) *http.Request
	says   string
	action string // "" for no record
	rule   string
	asked  int64
	leaks  bool // the password goes upstream
	want   string
}{
	{
		"refuse without asking", func(tb testing.TB) *http.Request { return poxAsk(tb, "http://"+docHost+poxPath, "email@example.com") },
		"", "refuse", "documentation", 0, false, "<ErrorCode>",
	},
	{
		"refuse the answer", func(tb testing.TB) *http.Request { return ask(tb, "http", "email@example.com") },
		suggest("email@example.com", stranger), "refuse", "documentation", 1, false, suggest("email@example.com"),
	},
	{
		"scrub and pass", func(tb testing.TB) *http.Request { return ask(tb, "http", "user@lab.test") },
		suggest("user@lab.test", "imap.lab.test"), "pass", "private-use", 1, false, suggest("user@lab.test", "imap.lab.test"),
	},
	{
		"scrub and edit", func(tb testing.TB) *http.Request { return ask(tb, "http", "user@lab.test") },
		suggest("user@lab.test", "imap.lab.test", stranger), "edit", "private-use", 1, false, `"imap.lab.test"`,
	},
	{
		"pass", func(tb testing.TB) *http.Request { return ask(tb, "http", "user@corp-mail.net") },
		suggest("user@corp-mail.net", "imap.corp-mail.net"), "pass", "", 1, true, suggest("user@corp-mail.net", "imap.corp-mail.net"),
	},
	{
		"not discovery", func(tb testing.TB) *http.Request {
			r := request(tb, http.MethodGet, "http://"+bank+"/page", "")
			r.SetBasicAuth("user", password)
			return r
		},
		"a page", "", "", 1, true, "a page",
	},
}

// checkOutcomes sends every question through a proxy that make made, and looks at what happened on all sides.
func checkOutcomes(t *testing.T, make func(*world) http.Handler) {
	t.Helper()
	checkOutcomesBy(t, func(w *world) http.RoundTripper { return through(w.tb, make(w)) })
}

// checkOutcomesBy does the same by any way to a proxy.
func checkOutcomesBy(t *testing.T, way func(*world) http.RoundTripper) {
	t.Helper()
	for _, c := range installed {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &spy{next: jsonAnswer(c.says)}
			w := newWorld(t, s.handle)
			r := c.asks(t)
			authorization := r.Header.Get("Authorization")
			got := send(t, way(w), r)
			if got.StatusCode != http.StatusOK || !strings.Contains(got.body, c.want) || strings.Contains(got.body, stranger) || got.err != nil {
				t.Errorf("got %d %q %v, want %q", got.StatusCode, got.body, got.err, c.want)
			}
			if got.ContentLength != int64(len(got.body)) {
				t.Errorf("got Content-Length %d for %d bytes", got.ContentLength, len(got.body))
			}
			if n := s.asked.Load(); n != c.asked {
				t.Errorf("upstream was asked %d times, want %d", n, c.asked)
			}
			if raw := s.heard(); raw != "" && strings.Contains(raw, authorization) != c.leaks {
				t.Errorf("got credentials upstream %v, want %v:\n%s", !c.leaks, c.leaks, raw)
			}
			w.recordedOnce(t, c.action, c.rule, c.asked > 0, len(got.body))
		})
	}
}

// recordedOnce checks what a foreign proxy's exchange left in the log: the response filter is done before the client has its answer.
func (w *world) recordedOnce(t *testing.T, action, rule string, asked bool, out int) {
	t.Helper()
	if action == "" {
		if n := w.decisions.Len(); n != 0 {
			t.Errorf("got %d records of what is not discovery", n)
		}
		return
	}
	record := w.decision(1)
	for key, want := range map[string]any{"action": action, "rule": rule, "door": "installed", "status": int64(200), "bytes_out": int64(out)} {
		if record[key] != want {
			t.Errorf("%s: got %v, want %v", key, record[key], want)
		}
	}
	if u := record["upstream"].(map[string]any); u["asked"] != asked || u["error"] != "" {
		t.Errorf("upstream: got %v, want asked %v", u, asked)
	}
	if n := w.decisions.Len(); n != 1 {
		t.Errorf("got %d records, want 1", n)
	}
}
